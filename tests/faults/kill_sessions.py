"""Kill simulated sessions at random moments, go on with each, and compare with one that nobody disturbed.

    python tests/faults/kill_sessions.py 200 [SEED]

A session runs in a process of its own, which says over a pipe that a trial is done once `run_session` has
reported it. The parent kills it (SIGKILL) at a moment drawn evenly from the time that it takes to its end;
every third moment is drawn from its first twentieth, where the header is written. It is taken up again, and
killed again, until it comes to its end; then the next one begins.

A session is long because it has many trials, and is not made slow, with one exception: in every second one
``os.write`` writes 61 bytes at a time and rests half a millisecond, as a disk in trouble might. Without that
a kernel has a line written before a signal can come between, and no line would ever be torn.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hand_made import Wanted, write_set

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.journal import RecordedSession, RecordedTrial, has_header, read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session

EXPERIMENT = """
name: {name}
stimuli: {{sets: [set], crop: {{size: 16}}, not_converged: show}}
paradigm: {{name: oddity, eccentricity: 3}}
schedule: {schedule}
display: {{resolution: [640, 480], pixels_per_degree: 20}}
timing: {{stimulus: [50 ms, 100 ms, 200 ms, 400 ms]}}
breaks: {{every: 5}}
"""
SCHEDULES = {
    "constant": "{name: constant, balance: across}",
    "staircase": "{name: staircase, level: duration, tracks: 2, trials: 12, start: [400.0]}",
}
PERSON = Participant("01")
CLOCK = 2e-6
"""Times are rounded to microseconds."""


@dataclass
class Subject:
    """A session to be killed, and what it is when it is not."""

    room: PreparedExperiment
    slow: bool
    undisturbed: RecordedSession
    seconds: float


@dataclass
class Tally:
    """What came about."""

    kills: int = 0
    sessions: int = 0
    acknowledged: int = 0
    found: Counter[str] = field(default_factory=Counter)


def main() -> None:
    kills, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        tally = kill_sessions(kills, random.Random(seed), Path(folder))
    found = [f"  {count:4} {what}" for what, count in sorted(tally.found.items())]
    head = f"{tally.kills} kills in {tally.sessions} sessions, seed {seed}; {tally.acknowledged} trials"
    last = "no acknowledged trial is missing; trials and outcomes are those of the undisturbed sessions"
    sys.stdout.write("\n".join([head, *found, last, ""]))


def kill_sessions(kills: int, rng: random.Random, folder: Path) -> Tally:
    """Kill sessions until there were so many kills; an `AssertionError` tells what was lost."""
    write_set(folder / "set", Wanted(conditions=("texture", "texform"), size=(64, 64), array=False))
    kinds = [(name, slow) for name in SCHEDULES for slow in (True, False)]
    subjects: dict[tuple[str, bool], Subject] = {}
    tally = Tally()
    while tally.kills < kills:
        kind = kinds[tally.sessions % len(kinds)]
        if kind not in subjects:
            subjects[kind] = make(folder, *kind)
        subject = subjects[kind]
        data = folder / f"data{tally.sessions}"
        tally.sessions += 1
        done = False
        while not done:
            first = 0.05 if rng.random() < 1 / 3 else 1.0
            wait = rng.uniform(0.0, first * subject.seconds) if tally.kills < kills else None
            done = disturb(subject, data, wait, tally)
        check_end(subject, journal_of(subject.room, data))
    return tally


def make(folder: Path, name: str, slow: bool) -> Subject:
    file, data = folder / f"{name}.yaml", folder / f"undisturbed_{name}_{slow}"
    file.write_text(EXPERIMENT.format(name=name, schedule=SCHEDULES[name]))
    room = PreparedExperiment.prepare(load_experiment(file))
    session(
        room, data, slow, lambda _: None
    )  # once more, so that the time is without the first use of things
    started = time.monotonic()
    status, _ = run_in_child(lambda tell: session(room, folder / f"timed_{name}_{slow}", slow, tell), None)
    assert status == 0
    return Subject(room, slow, read_journal(journal_of(room, data)), time.monotonic() - started)


def journal_of(room: PreparedExperiment, data: Path) -> Path:
    return data / "journals" / f"sub-01_ses-1_task-{room.loaded.experiment.name}.jsonl"


def session(room: PreparedExperiment, data: Path, slow: bool, tell: Callable[[int], object]) -> None:
    """Run a session to its end, or what is left of it."""
    real = os.write
    if slow:
        os.write = lambda descriptor, some: (time.sleep(0.0005), real(descriptor, some[:61]))[1]
    try:
        options = RunOptions(observer="simulated", data=data, resume=journal_of(room, data).exists())
        run_session(room, PERSON, options, lambda answered: tell(answered.trial.index))
    finally:
        os.write = real


def disturb(subject: Subject, data: Path, wait: float | None, tally: Tally) -> bool:
    """Run a session and kill it after `wait` seconds; return whether it came to its end before."""
    file = journal_of(subject.room, data)
    before = len(read_journal(file).trials) if file.exists() and has_header(file) else 0
    status, told = run_in_child(lambda tell: session(subject.room, data, subject.slow, tell), wait)
    tally.acknowledged += len(told)
    assert told == list(range(before + 1, before + 1 + len(told))), "a trial came twice, or not at all"
    if status == 0:
        return True
    assert status == -signal.SIGKILL, status
    tally.kills += 1
    tally.found[check_killed(subject, file, before + len(told))] += 1
    return file.exists() and has_header(file) and read_journal(file).complete


def run_in_child(
    task: Callable[[Callable[[int], object]], object], wait: float | None
) -> tuple[int, list[int]]:
    """Run a task in a process, to be killed after `wait` seconds; return how it ended and what it told."""
    reading, writing = os.pipe()
    write = os.write
    process = os.fork()
    if process == 0:
        status = 1
        try:
            os.close(reading)
            task(lambda number: write(writing, b"%d\n" % number))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    if wait is not None:
        time.sleep(wait)
        os.kill(process, signal.SIGKILL)
    with os.fdopen(reading, "rb") as pipe:
        told = [int(number) for number in pipe.read().split()]
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), told


def check_killed(subject: Subject, file: Path, acknowledged: int) -> str:
    """Check what a killed session left; return in a word what that was."""
    if not file.exists() or not has_header(file):
        assert acknowledged == 0, "trials were acknowledged, and there is no header"
        return "before the header was whole" if file.exists() else "before there was a file"
    recorded = read_journal(file)
    kept = len(recorded.trials)
    assert kept >= acknowledged, f"{acknowledged} trials were acknowledged, {kept} are there"
    assert kept <= acknowledged + 1, "more than the trial on the screen was not acknowledged"
    for one, other in zip(recorded.trials, subject.undisturbed.trials, strict=False):
        assert same(one, other), f"trial {one.trial.index} is another"
    if recorded.complete:
        return "after the last line"
    if recorded.torn:
        return "while a line was written: a torn line"
    return "between a line and its acknowledgement" if kept > acknowledged else "between lines"


def check_end(subject: Subject, file: Path) -> None:
    """Check that a session that was killed is what it would have been."""
    recorded = read_journal(file)
    assert recorded.complete
    assert not recorded.torn
    assert len(recorded.trials) == len(subject.undisturbed.trials)
    for one, other in zip(recorded.trials, subject.undisturbed.trials, strict=True):
        assert same(one, other), f"trial {one.trial.index} is another"
    same_start = {"started": subject.undisturbed.header.started}
    assert recorded.header.model_copy(update=same_start) == subject.undisturbed.header


def same(one: RecordedTrial, other: RecordedTrial) -> bool:
    """Return whether trial and outcome are the same, but for when the session's clock began."""
    times, others = timeless(one), timeless(other)
    near = all(abs(a - b) < CLOCK for a, b in zip(times.pop("onsets"), others.pop("onsets"), strict=True))
    return near and times == others and (one.trial, one.correct) == (other.trial, other.correct)


def timeless(line: RecordedTrial) -> dict[str, Any]:
    outcome = line.outcome.to_dict()
    zero = outcome["shots"][0]["onset"]
    onsets = [shot.pop(name) - zero for shot in outcome["shots"] for name in ("onset", "intended_onset")]
    return {**outcome, "onsets": onsets}


if __name__ == "__main__":
    main()
