"""Lists the events of a session: a row for every picture, cue and mask shown, and one for the response."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from stimgen.experiment.design.trial import Phase, PresentedPhase, ShownPicture
from stimgen.experiment.journal.journal import RecordedTrial
from stimgen.experiment.journal.response_times import time_from_last, time_of_first_letter
from stimgen.experiment.schema.exclusions import ExclusionRules
from stimgen.export.event_columns import FROM_START, SOURCE_PREFIX
from stimgen.export.exclusions import exclude_trial
from stimgen.export.further_answers import question_rows
from stimgen.export.phase_durations import list_planned_durations
from stimgen.export.sessions import SessionPart
from stimgen.export.sets.bids_names import original_label, stimulus_label
from stimgen.export.stream_hits import stream_cells
from stimgen.export.thresholds import adaptive_cells

Row = dict[str, Any]


def event_rows(
    part: SessionPart, name_of: Callable[[ShownPicture], str], rules: ExclusionRules | None = None
) -> Iterator[Row]:
    """Yield the rows of a part, by onset.

    `name_of` gives the file of a picture that was shown, and `rules` say which trials do not count.
    """
    started = False
    for line in part.trials:
        if not (started or line.trial.practice):
            started = True
            yield from _trigger_rows(part)
        durations = list_planned_durations(line, part.planned_refresh_hz)
        common = _common_columns(line) | durations | {"observer": part.observer_of(line)}
        common |= exclude_trial(rules, line)
        rows = [
            common | row
            for phase, shot in zip(line.trial.phases, line.outcome.shots, strict=True)
            for row in _phase_rows(phase, shot, name_of)
        ]
        rows += [
            common | _response_columns(line) | stream_cells(line),
            *(common | row for row in question_rows(line)),
        ]
        for row in sorted(rows, key=lambda row: float(row["onset"])):
            yield row | {FROM_START.name: onset_from_start(part, row["onset"])}


def onset_from_start(part: SessionPart, onset: float) -> float | None:
    """Return an onset in seconds from the start of the main trials; None if it is not known."""
    return None if part.main_start is None else round(onset - part.main_start.seconds, 6)


def _trigger_rows(part: SessionPart) -> Iterator[Row]:
    """Yield the row of the trigger that started the main trials, if one did."""
    start = part.main_start
    if start is not None and start.trigger is not None:
        onset = {"onset": start.seconds, FROM_START.name: 0.0}
        yield {"event": "trigger", "duration": 0, "observer": part.observer, **onset}


def _common_columns(line: RecordedTrial) -> Row:
    trial = line.trial
    return {
        "trial_type": trial.levels.get("condition"),
        "trial_index": trial.index,
        "block": trial.block,
        "practice": trial.practice,
        "catch": trial.catch,
        "track": trial.track,
        "level": trial.number,
        **adaptive_cells(line),
        "source": trial.source,
        "interrupted": line.outcome.interrupted,
        "timing_verified": line.outcome.timing_verified,
        **{f"factor_{name}": value for name, value in {**trial.levels, **trial.balanced}.items()},
        **{f"{SOURCE_PREFIX}{name}": value for name, value in trial.source_factors.items()},
    }


def _phase_rows(phase: Phase, shot: PresentedPhase, name_of: Callable[[ShownPicture], str]) -> Iterator[Row]:
    timing = _timing_columns(phase, shot)
    for shown in phase.shown:
        image = _image_columns(shown) | _place_columns(shown) | {"stim_file": name_of(shown)}
        yield {"event": "image"} | timing | image
    for cover in phase.covers:
        shown = cover.picture
        texture = _image_columns(shown) | {"stim_file": name_of(shown)} if cover.kind == "texture" else {}
        yield {"event": "mask"} | timing | _place_columns(shown) | texture
    if phase.cues:
        yield {"event": "cue"} | timing


def _timing_columns(phase: Phase, shot: PresentedPhase) -> Row:
    return {
        "onset": shot.onset,
        "duration": shot.duration,
        "interval": phase.interval,
        "intended_onset": shot.intended_onset,
        "intended_duration": shot.intended_duration,
        "dropped": shot.dropped,
        "frame_sha256": shot.frame_sha256,
    }


def _image_columns(shown: ShownPicture) -> Row:
    crop = zip(("left", "top", "width", "height"), shown.crop, strict=True)
    return {
        "stim_id": stimulus_label(shown.id) if shown.id else original_label(shown.sha256),
        "stim_sha256": shown.sha256,
        "role": shown.role,
        "source": shown.source,
        "seed": shown.seed,
        "condition": shown.condition,
        **{f"crop_{side}": pixels for side, pixels in crop},
    }


def _place_columns(shown: ShownPicture) -> Row:
    places = {"pixels": (*shown.position, *shown.size), "degrees": (*shown.degrees, *shown.size_degrees)}
    return {
        f"{name}_{unit}": number
        for unit, numbers in places.items()
        for name, number in zip(("x", "y", "width", "height"), numbers, strict=True)
    }


def _response_columns(line: RecordedTrial) -> Row:
    outcome, shots = line.outcome, line.outcome.shots
    kinds = [phase.kind for phase in line.trial.phases]
    first, last = shots[kinds.index("stimulus")], shots[-1]
    ended = last.onset + last.duration
    return {
        "event": "response",
        "onset": round(ended if outcome.seconds is None else first.onset + outcome.seconds, 6),
        "duration": 0,
        "response": outcome.answer,
        "key": outcome.key,
        "response_time": outcome.seconds,
        "response_time_last": time_from_last(line),
        "first_letter_time": time_of_first_letter(line),
        "missed": outcome.answer is None,
        "correct_response": line.trial.correct,
        "correct": line.correct,
    }
