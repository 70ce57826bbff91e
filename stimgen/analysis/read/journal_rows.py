"""Describes a trial of a journal as a row of the table of trials."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from stimgen.analysis.difference_scaling import LARGER, SUBSETS
from stimgen.analysis.judgements import ODD_ITEM, TRIPLET
from stimgen.analysis.streams import STREAM_COLUMNS
from stimgen.experiment.design.paradigms.item_subsets import split_items
from stimgen.experiment.design.streams import REPEATED_FACTOR, parse_positions
from stimgen.experiment.journal.journal import RecordedTrial
from stimgen.experiment.journal.response_times import time_from_last
from stimgen.export.sessions import JournalSession, SessionPart

CONFIDENCE = "confidence"
"""Name of the question after trials whose answers are ratings of confidence."""


def describe_trial(line: RecordedTrial, session: JournalSession, part: SessionPart) -> dict[str, Any]:
    """Return the columns of a trial; those that its journal lacks are left out."""
    trial, outcome = line.trial, line.outcome
    is_missed = outcome.answer is None
    return {
        **trial.source_factors,
        **trial.levels,
        **_find_larger_pair(line),
        **_find_odd_item(line),
        **_count_presses(line),
        "participant": session.participant.label,
        "session": session.participant.session,
        "group": session.header.group,
        "experiment": session.experiment,
        "observer": part.observer_of(line),
        "block": trial.block,
        "trial": trial.index,
        "practice": trial.practice,
        "catch": trial.catch,
        "source": trial.source,
        "level": trial.number,
        "track": trial.track,
        "oddball": trial.balanced.get("oddball"),
        "response": outcome.answer,
        "correct_response": trial.correct,
        "correct": None if line.correct is None or is_missed else float(line.correct),
        "missed": is_missed,
        "response_time": outcome.seconds,
        "response_time_last": time_from_last(line),
        "interrupted": outcome.interrupted,
        "dropped": sum(shot.dropped for shot in outcome.shots),
        "confidence": _find_confidence(line),
    }


def _find_larger_pair(line: RecordedTrial) -> dict[str, str]:
    """Return which pair of difference scaling was judged to differ more; nothing for other tasks."""
    trial, answer = line.trial, line.outcome.answer
    if not any(name in trial.levels for name in SUBSETS):
        return {}
    if answer not in trial.answers:
        return {LARGER: ""}
    is_second = trial.answers.index(answer) == 1
    return {LARGER: "high" if is_second == (trial.balanced["first"] == "lower") else "low"}


def _find_odd_item(line: RecordedTrial) -> dict[str, str]:
    """Return the items of a triplet and the one that was chosen as odd; nothing for other tasks."""
    trial, answer = line.trial, line.outcome.answer
    items = str(trial.levels.get(TRIPLET, trial.source))
    order = str(trial.balanced.get("order", ""))
    if items.count("+") != 2 or sorted(order) != ["1", "2", "3"]:
        return {}
    shown = [split_items(items)[int(digit) - 1] for digit in order]
    return {TRIPLET: items, ODD_ITEM: shown[int(answer) - 1] if answer in trial.answers else ""}


def _count_presses(line: RecordedTrial) -> dict[str, int]:
    """Return hits and false alarms over the pictures of a stream; nothing for other tasks."""
    trial = line.trial
    if REPEATED_FACTOR not in trial.balanced or trial.correct is None or line.outcome.answer is None:
        return {}
    repeated, pressed = (set(parse_positions(text)) for text in (trial.correct, line.outcome.answer))
    others = len(trial.stimuli) - 1 - len(repeated)
    counts = (len(repeated & pressed), len(repeated), len(pressed - repeated), others)
    return dict(zip(STREAM_COLUMNS, counts, strict=True))


def _find_confidence(line: RecordedTrial) -> float | None:
    """Return the answer to the question named confidence, if it is a number."""
    for further in line.outcome.further:
        if further.question == CONFIDENCE and further.answer is not None:
            with suppress(ValueError):
                return float(further.answer)
    return None
