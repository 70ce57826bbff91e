"""Compares what was run with what was planned."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.export.exclusions import ExclusionReport
from stimgen.export.sessions import JournalSession, read_session
from stimgen.export.study.frozen import EXPERIMENT, FrozenStudy, PlannedTrials
from stimgen.reading.errors import make_printable
from stimgen.stimulus_set.store import PLAN

MAX_LINES = 20  # of a difference between two texts
# Answers decide these: a trial's number is higher where practice was repeated, and an adaptive schedule
# chooses the track. The rest of a trial was planned.
DECIDED_BY_ANSWERS = ("index", "track")


@dataclass
class StudyComparison:
    """Holds what comparing data with their plan found."""

    sessions: list[str] = field(default_factory=list)
    """The state of every session, one line each."""
    differences: list[str] = field(default_factory=list)
    """What is not as planned."""
    exclusions: list[str] = field(default_factory=list)
    """What the frozen exclusion rules exclude of the data so far; empty without rules."""
    notes: list[str] = field(default_factory=list)
    """What a reader should know, but no plan says."""

    @property
    def as_planned(self) -> bool:
        """Return whether nothing differs."""
        return not self.differences


def compare_with_study(frozen: FrozenStudy, data: Path) -> StudyComparison:
    """Compare the journals in an experiment's folder of data with the study that was frozen.

    Raises `StimgenError` where the archive is damaged, or a journal cannot be read.
    """
    frozen.verify()
    found, study = StudyComparison(), frozen.study
    planned = {(participant.label, participant.session): participant for participant in study.persons}
    seen, report = set(), ExclusionReport(frozen.exclusion_rules)
    for journal in DataFolder(data).journals():
        session = read_session(journal.file)
        name = f"participant {journal.participant}, session {journal.session}"
        participant = planned.get((journal.participant, journal.session))
        if journal.task != study.name or participant is None:
            found.differences.append(f"{name} of {journal.task} was not planned")
            continue
        seen.add((journal.participant, journal.session))
        if report.rules is not None:
            report.add(session)
        trials = frozen.trials(participant)
        problems = [*_find_setting_problems(frozen, session), *_find_trial_problems(trials, session)]
        found.differences += [f"{name}: {problem}" for problem in problems]
        ran = sum(line.trial.is_main for part in session.parts for line in part.trials)
        verdict = f"{'not ' if problems else ''}as planned"
        found.sessions.append(f"{name}: {ran} of {len(trials.main)} trials, {verdict}")
        found.notes += [f"{name}: {note}" for note in _list_notes(study.software, session)]
    found.exclusions = report.format_lines()
    missing = [f"participant {p}, session {s}" for p, s in planned if (p, s) not in seen]
    found.notes += [f"not run yet: {'; '.join(missing)}"] if missing else []
    return found


def _find_setting_problems(frozen: FrozenStudy, session: JournalSession) -> Iterator[str]:
    header, study = session.header, frozen.study
    if len(session.observers) > 1:
        yield f"it mixes answers of different observers: {', '.join(session.observers)}"
    if header.experiment.sha256 != study.experiment_sha256:
        before = frozen.read(EXPERIMENT).decode("utf-8", "replace").splitlines()
        after = header.experiment.text.splitlines()
        changed = list(difflib.unified_diff(before, after, lineterm="", n=0))[2:]
        lines = [make_printable(line, limit=200) for line in changed[:MAX_LINES]]
        lines += ["..."] if len(changed) > MAX_LINES else []
        yield "\n    ".join(["the experiment is not the one that was frozen:", *lines])
    planned = study.groups.get(header.participant)
    if header.group != planned:
        yield f"its group is {header.group or 'none'}, and was to be {planned or 'none'}"
    for picture in header.pictures:
        if study.pictures.get(picture.file) != picture.sha256:
            yield f"the instructions showed another picture than the frozen {picture.file}"
    was = [(one.name, one.plan_sha256) for one in study.sets]
    now = [(one.name, one.plan_sha256) for one in header.sets]
    known = [plan for _, plan in was]
    if planned is not None:  # a group may have some of the sets only, and in an order of its own
        known = [plan for _, plan in now if plan in known]
    if known != [plan for _, plan in now]:
        names = ", ".join(name for name, plan in now if plan not in {known for _, known in was})
        yield f"the {PLAN} of its sets are others ({names or 'fewer, or in another order'})"


def _find_trial_problems(planned: PlannedTrials, session: JournalSession) -> Iterator[str]:
    ran = PlannedTrials.from_trials(line.trial.to_dict() for part in session.parts for line in part.trials)
    practice, main = ran.practice, [trial for [trial] in ran.main]
    if len(main) > len(planned.main):
        yield f"{len(main)} trials were run, and {len(planned.main)} were planned"
    if practice and not planned.practice:
        yield "practice was run, and none was planned"
        practice = []
    for i, trial in enumerate(practice, 1):  # repeated, until it goes well enough
        yield from (f"practice {i}: {text}" for text in _find_closest_difference(planned.practice, trial))
    for i, (wanted, trial) in enumerate(zip(planned.main, main, strict=False), 1):
        yield from (f"trial {i}: {text}" for text in _find_closest_difference(wanted, trial))
    yield from _find_catch_problems(planned, ran)


def _find_catch_problems(planned: PlannedTrials, ran: PlannedTrials) -> Iterator[str]:
    """Yield what differs in the catch trials, each kind by itself."""
    for name in dict.fromkeys(one.trial["catch"] for one in (*planned.catch, *ran.catch)):
        wanted, found = ([one for one in some.catch if one.trial["catch"] == name] for some in (planned, ran))
        due = sum(one.after < len(ran.main) for one in wanted)
        if not due <= len(found) <= len(wanted):
            yield f"{len(found)} catch trials {name!r} were run, and {len(wanted)} were planned"
        for i, (want, one) in enumerate(zip(wanted, found, strict=False), 1):
            text = f"catch trial {name!r} {i}"
            if want.after != one.after:
                yield f"{text} came after trial {one.after}, and was to come after {want.after}"
            # An adaptive schedule decides when a block begins.
            same, other = ({**trial, "block": None} for trial in (want.trial, one.trial))
            yield from (f"{text}: {difference}" for difference in _find_closest_difference([same], other))


def _find_closest_difference(wanted: Sequence[Mapping[str, Any]], trial: Mapping[str, Any]) -> Iterator[str]:
    """Yield the first difference between a trial and the most similar of its candidates."""
    each = [list(_find_differences(_drop_decided(one), _drop_decided(trial), "")) for one in wanted]
    fewest = min(each, key=len, default=["nothing was planned"])
    if fewest:
        more = f", and {len(fewest) - 1} more" if len(fewest) > 1 else ""
        yield f"{fewest[0]}{more}"


def _drop_decided(trial: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in trial.items() if key not in DECIDED_BY_ANSWERS}


def _find_differences(wanted: Any, ran: Any, place: str) -> Iterator[str]:
    """Yield each place where two values differ, as a path with both values."""
    if isinstance(wanted, Mapping) and isinstance(ran, Mapping):
        for key in dict.fromkeys((*wanted, *ran)):
            path = f"{place}.{key}" if place else str(key)
            yield from _find_differences(wanted.get(key), ran.get(key), path)
    elif isinstance(wanted, list) and isinstance(ran, list) and len(wanted) == len(ran):
        for i, pair in enumerate(zip(wanted, ran, strict=True)):
            yield from _find_differences(*pair, f"{place}[{i}]")
    elif wanted != ran:
        yield f"{place} is {make_printable(repr(ran), 80)}, and was to be {make_printable(repr(wanted), 80)}"


def _list_notes(software: Mapping[str, str], session: JournalSession) -> Iterator[str]:
    if session.observers != ["person"]:
        yield f"answered by the {' and the '.join(session.observers)} observer"
    for package in sorted(software.keys() & session.header.versions.keys()):
        was, now = software[package], session.header.versions[package]
        if was != now:
            yield f"run with {package} {make_printable(now, 80)}, frozen with {was}"
