"""Defines the columns of the table of trials, which every analysis takes."""

from __future__ import annotations

TRIAL_COLUMNS = {
    "participant": "Label of the participant.",
    "session": "Label of the session; 1 where the data have none.",
    "group": "Group of the participant, such as author or naive; empty where there are none.",
    "experiment": "Name of the experiment; empty where the data have none.",
    "observer": "Who answered: person, or the name of a computed observer.",
    "block": "Number of the block; n/a where the data have none.",
    "trial": "Number of the trial in the session, practice included; else the number of the row.",
    "practice": "Whether the trial was practice.",
    "catch": "Kind of catch trial; empty for other trials.",
    "condition": "Condition of the stimulus; empty where the data have none.",
    "source": "Name of the photograph that the stimulus was made from; empty where the data have none.",
    "level": "Number of the condition on an ordered scale, such as the scaling of pooling regions.",
    "track": "Name of the adaptive track; empty for trials that none chose.",
    "oddball": "Role of the odd picture: original or synthesis; empty where there is none.",
    "response": "The answer; empty where there was none in time.",
    "correct_response": "The correct answer; empty where the data have none.",
    "correct": "1 for a correct answer, 0 for a wrong one; n/a where there is no answer, or none is correct.",
    "missed": "Whether there was no answer in time.",
    "response_time": "Seconds from the onset of the first picture to the answer; n/a without one.",
    "response_time_last": "The same from the onset of the last interval's pictures; n/a where not known.",
    "interrupted": "How often a pause interrupted the trial; n/a where the data have none.",
    "dropped": "Refreshes of the screen that were missed; n/a where the data have none.",
    "confidence": "Rating of confidence as a number; n/a where none was asked for.",
    "excluded": "Why the trial does not count; empty if it does.",
    "file": "Name of the file that the trial was read from.",
    "row": "Line of the file, from 1.",
}
"""Every column, with a sentence about it. Factors of the design have further columns under their names."""

DERIVED_COLUMNS = ("missed", "file", "row")
"""Columns that no table of others can give."""
TEXTS = (
    "participant",
    "session",
    "group",
    "experiment",
    "observer",
    "catch",
    "condition",
    "source",
    "track",
    "oddball",
    "response",
    "correct_response",
    "excluded",
    "file",
)
NUMBERS = (
    "block",
    "trial",
    "level",
    "correct",
    "response_time",
    "response_time_last",
    "interrupted",
    "dropped",
    "confidence",
    "row",
)
FLAGS = ("practice", "missed")
