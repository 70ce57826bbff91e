"""What BIDS calls stimuli: BEP 044, *Stimuli*, a draft; whoever writes events names them by these."""

from __future__ import annotations

# The draft's table of stimuli calls its first column so where its events do; before it was stimulus_id.
STIMULUS_COLUMN = "stim_id"
STIMULI, TABLE = "stimuli", "stimuli/stimuli.tsv"
ORIGINAL = "original"


def stimulus_label(stimulus: str) -> str:
    """Return what the table of stimuli, and events, call a stimulus, by its id."""
    return f"stim-{stimulus}"


def original_label(sha256: str) -> str:
    """Return what they call an original, by the hash of its file."""
    return f"stim-{ORIGINAL}{sha256[:16]}"


def picture_name(label: str) -> str:
    """Return the file of a picture, relative to the folder of stimuli, as the column stim_file wants it."""
    return f"{label}_image.png"
