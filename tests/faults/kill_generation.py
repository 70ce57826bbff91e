"""Kill generation at random moments, again and again, and compare what it makes with an undisturbed set.

``python tests/faults/kill_generation.py N [SEED]`` sends N SIGKILLs to ``stimgen generate``, each at a random
moment, and runs the same command again after each. Whatever was killed, what is there must be whole; and the
finished set must be the undisturbed one, byte for byte, but for what tells when, where and with what.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from stimgen.cli import main as cli
from stimgen.protocol.load import load_protocol
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.index import INDEX
from stimgen.stimulus_set.lock import LOCK
from stimgen.stimulus_set.store import CHECKSUMS, MANIFEST, PLAN, RECORDS, Store
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.generate import GenerateOptions, generate_set

PROTOCOL = """\
name: killed
sources: [{file: photo.png, size: 16}]
synthesis: {scales: 1, evaluations: 3}
conditions:
  - {id: texture, layers: [relu1_1]}
  - {id: noise, method: phase_scrambled}
seeds: [1, 2, 3]
output: {array: true, layout: nested, snapshots: 2}
"""
MEMORY = Path("/dev/shm")  # what a killed process has written is there, whether a disk has it or not
TOLD = (MANIFEST, CHECKSUMS, INDEX)  # when, where and with what


def write_protocol(folder: Path) -> Path:
    folder.mkdir(parents=True)
    levels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    Image.fromarray(levels).save(folder / "photo.png")
    (folder / "killed.yaml").write_text(PROTOCOL)
    return folder


def make(folder: Path) -> None:
    generate_set(load_protocol(folder / "killed.yaml"), folder / "set", GenerateOptions("cpu"))


def started(folder: Path) -> int:
    """Run the command in a process of its own, which need not import everything again."""
    child = os.fork()
    if child == 0:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        torch.set_num_threads(1)
        sys.argv = ["stimgen", "generate", str(folder / "killed.yaml"), "-o", str(folder / "set")]
        try:
            cli.main()
        except SystemExit as end:
            os._exit(int(end.code or 0))
        finally:
            os._exit(99)
    return child


def ended(child: int) -> int:
    """Return how a process ended: its exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def contents(folder: Path) -> dict[str, Any]:
    """Return all that must be the same in two sets."""
    there = [file for file in (folder / "set").rglob("*") if file.is_file() and file.name not in TOLD]
    records = {record.content.id: record.content for record in Store(folder / "set").read_records()}
    files = {file.relative_to(folder / "set").as_posix(): file for file in there}
    return records | {name: "" if name.startswith(RECORDS) else f.read_bytes() for name, f in files.items()}


def torn(folder: Path) -> list[str]:
    """Return what is there and is not whole. What is missing, or not derived yet, is no such thing."""
    store = Store(folder / "set")
    if not store.has(PLAN):
        return []
    try:
        found = verify_set(store)
    except StimgenError as error:
        return [str(error)]
    return [problem for problem in found.problems if any(name in problem for name in found.spoilt)]


class Killing:
    """What becomes of a set that is killed again and again.

    Parameters
    ----------
    folder : Path
        Where sets are made.
    chance : Random
        When.
    """

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance = folder, chance
        self.faults: list[str] = []
        self.sets = self.kills = 0
        self.moments: Counter[str] = Counter()
        undisturbed = write_protocol(folder / "undisturbed")
        make(undisturbed)  # here, so that no process that is to be killed need import or load anything again
        self.target = contents(undisturbed)
        shutil.rmtree(undisturbed / "set")
        began = time.monotonic()
        if ended(started(undisturbed)) != 0:
            raise SystemExit("the undisturbed set could not be made")
        self.seconds = time.monotonic() - began

    def run(self, kills: int) -> None:
        while self.kills < kills and not self.faults:
            place = write_protocol(self.folder / str(self.sets))
            while self.kills < kills and self._killed(place):
                self.kills += 1
                self.moments[_moment(place / "set")] += 1
                self.faults += torn(place)
            self._finish(place)
            self.sets += 1
            shutil.rmtree(place)

    def _killed(self, place: Path) -> bool:
        """Kill a run at a random moment; return whether it had not ended by itself."""
        child = started(place)
        time.sleep(self.chance.uniform(0, self.seconds) * self.chance.choice([0.4, 1.0]))
        os.kill(child, signal.SIGKILL)  # of a process that has ended, but was not waited for, nothing comes
        code = ended(child)
        if code not in (0, -signal.SIGKILL):
            self.faults.append(f"the command ended with {code}")
        return code == -signal.SIGKILL

    def _finish(self, place: Path) -> None:
        code = ended(started(place))
        if code != 0:
            self.faults.append(f"the last run ended with {code}")
            return
        self.faults += verify_set(Store(place / "set")).problems
        found = contents(place)
        names = found.keys() | self.target.keys()
        different = {name for name in names if found.get(name) != self.target.get(name)}
        self.faults += [f"{name} is not the undisturbed set's" for name in sorted(different)]
        if (place / "set" / LOCK).exists():
            self.faults.append("a lock was left")


def _moment(folder: Path) -> str:
    """Return how far a set had come when it was killed."""
    if not (folder / PLAN).exists():
        return "before the plan"
    left = any(file.name.startswith(".writing-") for file in folder.rglob(".writing-*"))
    finished = len(Store(folder).list_finished())
    derived = " with checksums" if (folder / CHECKSUMS).exists() else ""
    return f"{finished} of 6 finished{derived}" + (", in the middle of a file" if left else "")


def main() -> None:
    kills = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    torch.set_num_threads(1)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="killed-", dir=MEMORY if MEMORY.is_dir() else None) as place:
        killing = Killing(Path(place), random.Random(seed))
        killing.run(kills)
    lines = [f"{count:4d} killed: {moment}" for moment, count in sorted(killing.moments.items())]
    lines.append(
        f"{killing.kills} SIGKILLs, {killing.sets} sets finished and compared, seed {seed}, "
        f"{time.monotonic() - began:.0f} s, undisturbed {killing.seconds:.2f} s each"
    )
    lines += [f"FAULT: {fault}" for fault in killing.faults]
    sys.stdout.write("\n".join([*lines, ""]))
    sys.exit(1 if killing.faults else 0)


if __name__ == "__main__":
    main()
