"""Describes the columns of a session's events."""

from __future__ import annotations

from stimgen.experiment.schema.exclusions import ExclusionRules
from stimgen.export.columns import TableColumn
from stimgen.export.exclusions import EXCLUDED
from stimgen.export.further_answers import QUESTION, list_asked
from stimgen.export.phase_durations import duration_columns, list_timed_kinds
from stimgen.export.sessions import OBSERVERS, SessionPart
from stimgen.export.stream_hits import list_stream_columns
from stimgen.export.thresholds import ADAPTIVE_COLUMNS

PIXELS = "pixel"
SOURCE_PREFIX = "source_"
"""Beginning of the columns of factors of sources, such as ``source_category``."""
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
    sources = (
        TableColumn(f"{SOURCE_PREFIX}{name}", f"The {name} of the source, as its stimulus set names it.")
        for name in find_source_factors(parts)
    )
    durations = duration_columns(list_timed_kinds(lines))
    return (*FIXED_COLUMNS, *excluded, *typed, *asked, *levels, *sources, *durations)


def find_source_factors(parts: tuple[SessionPart, ...]) -> list[str]:
    """Return the factors that stimulus sets give their sources, in the order of the trials."""
    return list(dict.fromkeys(name for p in parts for line in p.trials for name in line.trial.source_factors))


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
