"""Merges the parts of a set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stimgen.stimulus_set.merging import MergeResult, merge_sets
from stimgen.stimulus_set.store import Store
from stimgen.workflow.repair import format_generate_command


def merge_folders(folders: Sequence[Path], target: Path | None = None) -> tuple[MergeResult, str | None]:
    """Merge the parts of a set in `folders` into `target`, or into the first of them.

    Returns
    -------
    MergeResult
        What became of it.
    str or None
        The command that makes what is missing; None where nothing is.

    Raises
    ------
    StimgenError
        There is no set in a folder, the parts are not of one plan, or a set is being written.
    """
    place = target or folders[0]
    found = merge_sets(place, [Store.open(folder) for folder in folders])
    return found, None if found.complete else format_generate_command(Store(place))
