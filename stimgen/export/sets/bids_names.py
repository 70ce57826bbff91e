"""Names stimuli as BIDS does in the draft BEP 044, *Stimuli*; tables of events use the same names."""

from __future__ import annotations

# The draft's table of stimuli calls its first column as its events do; an earlier draft had stimulus_id.
STIMULUS_COLUMN = "stim_id"
STIMULI, TABLE = "stimuli", "stimuli/stimuli.tsv"
ORIGINAL = "original"


def stimulus_label(stimulus: str) -> str:
    """Return the label of a stimulus in tables, by its id."""
    return f"stim-{stimulus}"


def original_label(sha256: str) -> str:
    """Return the label of an original in tables, by the hash of its file."""
    return f"stim-{ORIGINAL}{sha256[:16]}"


def picture_name(label: str) -> str:
    """Return the file of a picture for the column stim_file, relative to the folder of stimuli."""
    return f"{label}_image.png"
