"""The journal: what is acknowledged is kept, what was altered is found, what was cut off is dropped."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimgen.experiment.design.trial import Phase, Press, ShownPicture, Trial, TrialOutcome
from stimgen.experiment.journal.journal import Journal, has_header, read_journal
from stimgen.experiment.journal.journal_lines import parse_lines
from stimgen.experiment.session.session import make_trial_line
from stimgen.experiment.trials.procedure import AnsweredTrial
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import digest

HEADER: dict[str, Any] = {
    "format": 1,
    "experiment": {"name": "x", "file": "x.yaml", "sha256": "0" * 64, "text": "name: x"},
    "participant": "01",
    "session": "1",
    "language": None,
    "observer": {"name": "simulated", "settings": {}},
    "keys": {"1": ["left"]},
    "display": {
        "declared": {},
        "viewing": {
            "resolution": [100, 80],
            "distance_px": 500.0,
            "refresh_hz": 60.0,
            "distance_cm": None,
            "width_cm": None,
            "pixels_per_degree": 8.5,
        },
        "measured": {"timing_verified": False},
    },
    "sets": [{"name": "set", "protocol": "p.yaml", "plan_sha256": "0" * 64}],
    "seed": 1,
    "notes": ["µ ✓"],
    "versions": {"stimgen": "1.0"},
    "started": "2026-01-01T00:00:00+00:00",
}
NAME = Path("sub-01_ses-1_task-x.jsonl")


def trial(index: int) -> Trial:
    shown = ShownPicture(
        set=0,
        id="abcdefghijklmnop",
        file="images/a.png",
        sha256="0" * 64,
        role="synthesis",
        condition="texture",
        source="brick",
        seed=1,
        crop=(1, 2, 8, 8),
        position=(0.5, -1.5),
        degrees=(0.1, -0.2),
        size=(8, 8),
        size_degrees=(0.2, 0.2),
        encoding="srgb",
    )
    phase = Phase(kind="stimulus", frames=3, interval=1, shown=(shown,))
    return Trial(
        index=index,
        block=1,
        levels={"condition": "texture"},
        source="brick",
        balanced={"location": 1},
        phases=(phase,),
        answers=("1", "2"),
        correct="1",
    )


def line(index: int) -> dict[str, object]:
    press = Press(answer="1", key="1", seconds=0.5)
    outcome = TrialOutcome(answer="1", key="1", seconds=0.5, presses=(press,))
    made = make_trial_line(AnsweredTrial(trial(index), True), outcome, "psychopy")
    return made | {"time": "2026-01-01T00:00:00+00:00"}


def write(file: Path, trials: int = 3, *, end: bool = True) -> bytes:
    with Journal.create(file, HEADER) as journal:
        for index in range(1, trials + 1):
            journal.append("trial", line(index))
        if end:
            journal.append("end", {"time": "now"})
    return file.read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write(tmp_path_factory.mktemp("whole") / NAME)


def indices(file: Path) -> list[int]:
    return [line.trial.index for line in read_journal(file).trials]


def refusal(do: Callable[[], object]) -> str:
    with pytest.raises(StimgenError) as caught:
        do()
    return str(caught.value)


class TestWholeJournals:
    def test_what_was_written_is_read(self, tmp_path: Path) -> None:
        write(tmp_path / NAME)
        found = read_journal(tmp_path / NAME)
        assert found.header.to_dict() == HEADER
        assert [(one.trial, one.correct, one.seq) for one in found.trials] == [
            (trial(i), True, i) for i in (1, 2, 3)
        ]
        assert (found.complete, found.torn, found.events) == (True, False, ())

    def test_a_checksum_is_of_the_line_and_the_one_before(self, whole: bytes) -> None:
        """Computed here without the module that writes them."""
        before = ""
        for number, text in enumerate(whole.decode().splitlines()):
            body = json.loads(text)
            checksum = body.pop("checksum")
            assert body["seq"] == number
            assert checksum == digest([before, body])
            before = checksum

    def test_it_goes_on_after_the_last_line(self, tmp_path: Path) -> None:
        write(tmp_path / NAME, end=False)
        with Journal.resume(tmp_path / NAME) as journal:
            journal.append("trial", line(4))
        assert indices(tmp_path / NAME) == [1, 2, 3, 4]

    def test_one_that_exists_is_never_overwritten(self, tmp_path: Path) -> None:
        before = write(tmp_path / NAME)
        assert "never overwritten" in refusal(lambda: Journal.create(tmp_path / NAME, HEADER))
        assert (tmp_path / NAME).read_bytes() == before

    def test_another_version_is_refused(self, tmp_path: Path) -> None:
        Journal.create(tmp_path / NAME, HEADER | {"format": 2}).close()
        assert "another version" in refusal(lambda: read_journal(tmp_path / NAME))

    def test_a_line_that_is_no_trial_is_named(self, tmp_path: Path) -> None:
        with Journal.create(tmp_path / NAME, HEADER) as journal:
            journal.append("trial", {"trial": {}, "outcome": {}, "correct": None, "time": ""})
        assert f"{NAME}:2: is not a trial" in refusal(lambda: read_journal(tmp_path / NAME))


class TestCutOff:
    """A process that is killed leaves a beginning; a power cut also zeros where blocks were not written."""

    def test_at_every_byte(self, whole: bytes, tmp_path: Path) -> None:
        ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
        for length in range(len(whole)):
            found = list(parse_lines(whole[:length], tmp_path / NAME))
            assert [one.end for one in found] == [end for end in ends if end <= length]
        for length in {*range(0, len(whole), 97), *(end + i for end in ends[:-1] for i in (-2, -1, 0, 1))}:
            self.check(tmp_path / NAME, whole[:length], sum(end <= length for end in ends), length in ends)

    @given(data=st.data())
    def test_with_zeros(self, whole: bytes, tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
        file = tmp_path_factory.getbasetemp() / NAME
        ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
        length = data.draw(st.integers(0, len(whole) - 1))
        begin = max((end for end in ends if end <= length), default=0)
        rest = whole[begin:length]
        zeros = data.draw(st.integers(1, 600))
        if data.draw(st.booleans()):
            torn = rest + bytes(zeros)
        else:  # blocks in the middle of the line that was being written
            stop = next(end for end in ends if end > length)
            torn = rest + bytes(max(2, stop - length - 5)) + whole[stop - 5 : stop]
        self.check(file, whole[:begin] + torn, sum(end <= begin for end in ends))

    def check(self, file: Path, data: bytes, lines: int, clean: bool = False) -> None:
        file.write_bytes(data)
        assert has_header(file) == (lines > 0)
        if lines == 0:
            assert "is empty" in refusal(lambda: read_journal(file))
            Journal.create(file, HEADER).close()
            assert indices(file) == []
            return
        found = read_journal(file)
        expected = list(range(1, min(lines, 4)))
        assert [one.trial.index for one in found.trials] == expected
        assert (found.torn, found.complete) == (not clean, lines == 5)
        with Journal.resume(file) as journal:
            journal.append("event", {"event": "resumed"})
        found = read_journal(file)
        assert [one.trial.index for one in found.trials] == expected
        assert (found.torn, found.events[-1]["seq"]) == (False, lines)


class TestAltered:
    @given(data=st.data())
    def test_any_flipped_bit_is_found(
        self, whole: bytes, tmp_path_factory: pytest.TempPathFactory, data: Any
    ) -> None:
        """Whichever bit, the line feeds' and the last line's, too: no answer is lost in silence."""
        at, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
        file = tmp_path_factory.getbasetemp() / NAME
        self.check(file, whole, at, bit)

    def test_every_bit_of_the_last_line_and_of_all_line_feeds(self, whole: bytes, tmp_path: Path) -> None:
        last = whole.rindex(b"\n", 0, -1)
        for at in [i for i, byte in enumerate(whole) if byte == ord("\n") or i >= last]:
            for bit in range(8):
                self.check(tmp_path / NAME, whole, at, bit)

    def check(self, file: Path, whole: bytes, at: int, bit: int) -> None:
        altered = bytearray(whole)
        altered[at] ^= 1 << bit
        file.write_bytes(altered)
        number = whole.count(b"\n", 0, at) + 1
        for read in (read_journal, Journal.resume):
            said = refusal(lambda read=read: read(file))  # type: ignore[misc] # a loop's variable, kept
            assert f"{file.name}:{number}: was altered" in said
            assert "the lines before it are intact" in said
        assert file.read_bytes() == altered

    @pytest.mark.parametrize("change", ["removed", "doubled", "swapped", "appended"])
    def test_lines_that_are_not_in_their_places(self, whole: bytes, tmp_path: Path, change: str) -> None:
        lines = whole.splitlines(keepends=True)
        changed = {
            "removed": lines[:2] + lines[3:],
            "doubled": lines[:3] + lines[2:],
            "swapped": [lines[0], lines[2], lines[1], *lines[3:]],
            "appended": [*lines, b'{"kind":"trial","seq":5}\n'],
        }
        (tmp_path / NAME).write_bytes(b"".join(changed[change]))
        assert "was altered" in refusal(lambda: read_journal(tmp_path / NAME))

    @pytest.mark.parametrize("data", [b"[" * 100_000 + b"\n", b"NaN\n", b"\xff\xfe\n", b"3\n", b"null"])
    def test_what_is_no_journal(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / NAME).write_bytes(data + b"x\n")
        assert "was altered" in refusal(lambda: list(parse_lines(data + b"x\n", tmp_path / NAME)))


class TestDisk:
    """Every write may fail or fall short; the lines before are kept, and the session can go on."""

    @pytest.mark.parametrize("call", ["write", "fsync"])
    @pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
    @pytest.mark.parametrize("after", range(5))
    def test_it_fills_at_every_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int, error: int, call: str
    ) -> None:
        file, calls = tmp_path / NAME, 0
        real: Callable[..., Any] = getattr(os, call)

        def failing(descriptor: int, *rest: Any) -> Any:
            nonlocal calls
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return real(descriptor, *rest)
            calls += 1
            if calls <= after:
                return real(descriptor, *rest)
            if call == "write" and calls == after + 1:
                return real(descriptor, rest[0][: len(rest[0]) // 2])  # a part fits
            raise OSError(error, os.strerror(error))

        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing)
            said = refusal(lambda: write(file))
        assert os.strerror(error) in said
        assert f"the {after} lines before are kept" in said
        if after == 0:
            assert file.read_bytes() == b""
            write(file)
        else:
            found = read_journal(file)
            assert ([one.seq for one in found.trials], found.torn) == (list(range(1, after)), False)
            with Journal.resume(file) as journal:
                journal.append("trial", line(after))
            assert indices(file) == list(range(1, after + 1))

    @pytest.mark.parametrize("most", [1, 5, 1000])
    def test_writes_that_fall_short_are_gone_on_with(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bytes, most: int
    ) -> None:
        real = os.write
        monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:most]))
        assert write(tmp_path / NAME) == whole

    @pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES])
    def test_a_folder_that_cannot_be_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
    ) -> None:
        """Injected, because root may write everywhere."""
        write(tmp_path / NAME, end=False)

        def refused(*_: Any) -> int:
            raise OSError(error, os.strerror(error))

        monkeypatch.setattr(os, "open", refused)
        for do in (
            lambda: Journal.create(tmp_path / "other.jsonl", HEADER),
            lambda: Journal.resume(tmp_path / NAME),
        ):
            assert f"cannot be written: {os.strerror(error)}" in refusal(do)

    def test_a_file_in_the_folders_place(self, tmp_path: Path) -> None:
        (tmp_path / "journals").write_text("")
        said = refusal(lambda: Journal.create(tmp_path / "journals" / NAME, HEADER))
        assert "journals: cannot be used as a folder" in said


HOLDING = """
import sys
from pathlib import Path
from stimgen.experiment.journal.journal import Journal
journal = getattr(Journal, sys.argv[1])(*([Path(sys.argv[2])] + [{"format": 1}] * (sys.argv[1] == "create")))
print("holding", flush=True)
sys.stdin.read()
"""


class TestTwoSessions:
    @pytest.fixture(params=["create", "resume"])
    def held(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
        file = tmp_path / NAME
        if request.param == "resume":
            write(file, end=False)
        command = [sys.executable, "-c", HOLDING, request.param, str(file)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"holding\n"
            yield file
            process.kill()
        # The lock goes with the process, however it ends.
        Journal.resume(file).close()

    def test_the_second_is_refused_and_changes_nothing(self, held: Path) -> None:
        before = held.read_bytes()
        for do in (lambda: Journal.resume(held), lambda: Journal.create(held, HEADER)):
            assert "is being written by another session" in refusal(do)
        assert held.read_bytes() == before
