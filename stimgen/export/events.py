"""Lists the events of a session: a row for every picture, cue and mask shown, and one for the response."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from stimgen.experiment.design.trial import Phase, PresentedPhase, ShownPicture
from stimgen.experiment.journal.journal import RecordedTrial
from stimgen.experiment.journal.response_times import time_from_last
from stimgen.experiment.schema.exclusions import ExclusionRules
from stimgen.export.columns import TableColumn
from stimgen.export.exclusions import EXCLUDED, exclude_trial
from stimgen.export.further_answers import QUESTION, list_asked, question_rows
from stimgen.export.phase_durations import duration_columns, list_planned_durations, list_timed_kinds
from stimgen.export.response_times import time_of_first_letter
from stimgen.export.sessions import OBSERVERS, SessionPart
from stimgen.export.sets.bids_names import original_label, stimulus_label
from stimgen.export.stream_hits import list_stream_columns, stream_cells
from stimgen.export.thresholds import ADAPTIVE_COLUMNS, adaptive_cells

Row = dict[str, Any]

PIXELS = "pixel"
FROM_START = TableColumn(
    "onset_from_start",
    "The onset counted from the start of the run's main trials: where a trigger started them, from its "
    "signal, such as a scanner's first volume. It is negative in the practice before them.",
    "s",
)
FIXED_COLUMNS = (
    TableColumn(
        "onset",
        "Beginning of the event as the flip reported it, from the beginning of the run, practice included. "
        "Without a response: when the pictures (or their mask) had ended.",
        "s",
    ),
    TableColumn("duration", "How long a picture was shown; 0 for a response.", "s"),
    TableColumn(
        "event",
        "What the row describes.",
        levels={
            "image": "a picture on the screen; those of one interval have the same onset",
            "cue": "marks that tell where the pictures will be",
            "mask": "what covers the place of a picture before or after it; plain noise has no row",
            "response": "the answer that counted, or that there was none",
            "trigger": "the signal of other equipment that started the main trials",
            "question": "a further question after the answer",
        },
    ),
    TableColumn("trial_type", "Condition of the trial, as the stimulus set names it."),
    TableColumn(
        "trial_index",
        "Number of the trial in the session, from 1, practice included; it joins the rows of a trial.",
    ),
    TableColumn("block", "Number of the block, from 1."),
    TableColumn(
        "practice",
        "Whether the trial was practice and does not count.",
        levels={"true": "practice", "false": "a trial that counts"},
    ),
    TableColumn("catch", "Name of the kind of catch trial, which does not count; n/a for other trials."),
    TableColumn("observer", "Who answered the trial.", levels=OBSERVERS),
    TableColumn("track", "Name of the staircase or other adaptive track."),
    TableColumn("level", "Number of the schedule's level, in its own unit; n/a where nobody can see it."),
    *ADAPTIVE_COLUMNS,
    TableColumn("interval", "Number of the interval in which the picture was shown, from 1."),
    TableColumn("stim_file", "The picture, relative to the folder stimuli."),
    TableColumn("stim_id", "Label of the picture in the table of its set's stimuli, stimuli.tsv."),
    TableColumn("stim_sha256", "Hash of the picture's file."),
    TableColumn(
        "role",
        "Part that the picture played.",
        levels={
            "original": "the photograph, prepared as the model saw it",
            "synthesis": "synthesised to match the original",
            "other_seed": "a synthesis of another seed in the original's part",
        },
    ),
    TableColumn("source", "Name of the photograph."),
    TableColumn("seed", "Seed of the synthesis; n/a for an original."),
    TableColumn(
        "condition", "Condition of the synthesis; of an original, that of the trial or the set's first."
    ),
    TableColumn("crop_left", "Left edge of the part that was shown, from the picture's left edge.", PIXELS),
    TableColumn("crop_top", "Upper edge of the part that was shown, from the picture's upper edge.", PIXELS),
    TableColumn("crop_width", "Width of the part that was shown.", PIXELS),
    TableColumn("crop_height", "Height of the part that was shown.", PIXELS),
    TableColumn("x_pixels", "Centre on the screen, to the right of the screen's centre.", PIXELS),
    TableColumn("y_pixels", "Centre on the screen, above the screen's centre.", PIXELS),
    TableColumn("x_degrees", "The same in degrees of visual angle.", "deg"),
    TableColumn("y_degrees", "The same in degrees of visual angle.", "deg"),
    TableColumn("width_pixels", "Width on the screen.", PIXELS),
    TableColumn("height_pixels", "Height on the screen.", PIXELS),
    TableColumn("width_degrees", "Width as seen at its place, in degrees of visual angle.", "deg"),
    TableColumn("height_degrees", "Height as seen at its place, in degrees of visual angle.", "deg"),
    TableColumn("intended_onset", "When the picture was to appear, by the plan of the trial.", "s"),
    TableColumn("intended_duration", "How long the picture was to be shown.", "s"),
    TableColumn("dropped", "Refreshes of the screen that were missed while the picture was shown."),
    TableColumn(
        "frame_sha256", "Hash of the whole screen as it was composed, from which a replay is checked."
    ),
    TableColumn("response", "The answer that counted; n/a where there was none in time."),
    TableColumn("key", "Key or button of the answer."),
    TableColumn("response_time", "From the onset of the trial's first picture to the answer.", "s"),
    TableColumn(
        "response_time_last",
        "From the onset of the last interval's pictures to the answer. Shorter than response_time where "
        "pictures come one after the other.",
        "s",
    ),
    TableColumn(
        "missed",
        "Whether there was no answer in time; n/a in rows of pictures.",
        levels={"true": "no answer in time", "false": "an answer"},
    ),
    TableColumn("correct_response", "The correct answer; n/a where none is."),
    TableColumn("correct", "Whether the answer was correct.", levels={"true": "correct", "false": "wrong"}),
    TableColumn(
        "interrupted",
        "How often the trial was broken off by a pause and shown again from its beginning; "
        "the row tells of the last time.",
    ),
    TableColumn(
        "timing_verified",
        "Whether the screen's timing was checked and found good in this run.",
        levels={
            "true": "onsets and durations can be relied on",
            "false": "they were not checked, or were found bad; also of observers without a screen",
        },
    ),
    FROM_START,
)


FIRST_LETTER = TableColumn(
    "first_letter_time",
    "From the onset of the trial's first picture to the first letter of a typed answer; n/a without letters.",
    "s",
)


def event_columns(
    parts: tuple[SessionPart, ...], rules: ExclusionRules | None = None
) -> tuple[TableColumn, ...]:
    """Return the columns of the events: the fixed ones, one per factor, and those of the trials."""
    factors = find_factors(parts).items()
    lines = [line for part in parts for line in part.trials]
    levels = (TableColumn(f"factor_{name}", about) for name, about in factors)
    typed = () if all(line.trial.answers for line in lines) else (FIRST_LETTER,)
    typed = (*typed, *list_stream_columns(lines))
    asked = (QUESTION,) if list_asked(parts) else ()
    excluded = () if rules is None else (EXCLUDED,)
    return (*FIXED_COLUMNS, *excluded, *typed, *asked, *levels, *duration_columns(list_timed_kinds(lines)))


def find_factors(parts: tuple[SessionPart, ...]) -> dict[str, str]:
    """Return the factors of the design, each with a sentence about it, in the order of the trials."""
    found: dict[str, str] = {}
    for part in parts:
        for line in part.trials:
            for name in line.trial.levels:
                found.setdefault(name, f"Level of the factor {name}.")
            for name in line.trial.balanced:
                found.setdefault(name, f"Value of {name}, which occurs equally often by design.")
    return found


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
