"""Checking a set."""

from __future__ import annotations

from pathlib import Path

from stimgen.stimulus_set.store import Store
from stimgen.stimulus_set.verify import Verification, verify


def verify_folder(folder: Path) -> Verification:
    """Check every hash and id of the set in `folder`.

    Raises
    ------
    StimgenError
        There is no set in the folder, or its plan cannot be read.
    """
    return verify(Store.open(folder))
