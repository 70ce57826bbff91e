"""A set through any sequence of runs, deaths, full disks, new names, deletions, flipped bits and repairs."""

from __future__ import annotations

import shlex
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from faulty import Died, Disk, failing
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from test_disk_faults import contents, make, write_protocol

from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.index import INDEX
from stimgen.stimulus_set.store import PLAN, Store
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.repair import repair_set

CONDITIONS, LAYOUTS = ("noise", "other"), ("flat", "nested")
STEPS = st.integers(0, 90)  # of a run, as many as there are
NUMBERS = st.integers(0, 2**30)


@cache
def undisturbed(condition: str, layout: str) -> dict[str, object]:
    """Return what the set of a protocol is where nothing happens."""
    with tempfile.TemporaryDirectory() as place:
        folder = write_protocol(Path(place) / "undisturbed", condition, layout)
        make(folder)
        return contents(folder)


class SetMachine(RuleBasedStateMachine):
    """One folder; whatever happens to it, the same command finishes the set."""

    @initialize()
    def begin(self) -> None:
        self.place = tempfile.TemporaryDirectory()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("os.fsync", lambda _: None)
        self.folder = Path(self.place.name) / "study"
        self.call("noise", "flat")
        self.finished = False

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.patch.undo()
            self.place.cleanup()

    @property
    def store(self) -> Store:
        return Store(self.folder / "set")

    def there(self) -> list[Path]:
        return sorted(file for file in self.store.folder.rglob("*") if file.is_file())

    @rule(condition=st.sampled_from(CONDITIONS), layout=st.sampled_from(LAYOUTS))
    def call(self, condition: str, layout: str) -> None:
        """Give the protocol other names; its stimuli stay the same."""
        self.names = (condition, layout)
        write_protocol(self.folder, condition, layout)
        self.finished = False

    @rule(step=STEPS, dies=st.booleans())
    def run_that_fails(self, step: int, dies: bool) -> None:
        with failing(Disk(self.folder, step, dies=dies)), suppress(Died, StimgenError):
            make(self.folder)
        self.finished = False

    @rule()
    def run(self) -> None:
        make(self.folder)
        assert contents(self.folder) == undisturbed(*self.names)
        assert verify_set(self.store).problems == []
        self.finished = True

    @rule(number=NUMBERS)
    def delete(self, number: int) -> None:
        files = [file for file in self.there() if file.name != PLAN]
        if files:
            files[number % len(files)].unlink()
            self.finished = False

    @rule()
    def repair(self) -> None:
        with suppress(StimgenError):  # there is no set yet
            repair_set(self.store.folder)

    @precondition(lambda self: self.finished)
    @rule(number=NUMBERS, bit=NUMBERS)
    def flip_and_mend(self, number: int, bit: int) -> None:
        """Flip a bit, do what repairing says, and run the command again."""
        files = [file for file in self.there() if file.name != INDEX]
        victim = files[number % len(files)]
        data = bytearray(victim.read_bytes())
        data[bit // 8 % len(data)] ^= 1 << bit % 8
        victim.write_bytes(data)
        name = victim.relative_to(self.store.folder).as_posix()
        assert any(name in problem for problem in verify_set(self.store).problems)
        _, commands = repair_set(self.store.folder)
        for words in map(shlex.split, commands):
            if words[0] == "rm":
                Path(words[1]).unlink()
        self.run()

    @invariant()
    def what_is_there_is_whole(self) -> None:
        if hasattr(self, "folder") and self.store.has(PLAN):
            assert verify_set(self.store).spoilt == []


TestSet = SetMachine.TestCase
TestSet.settings = settings(max_examples=8, stateful_step_count=10, deadline=None)
