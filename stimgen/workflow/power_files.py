"""Writes the results of a power analysis."""

from __future__ import annotations

import re
from pathlib import Path

from stimgen.export.derived import check_holds_only_tables
from stimgen.reading.atomic import replace_folder, write_atomically
from stimgen.workflow.power import PowerResults

OURS = re.compile(r"power\.(csv|png|svg|pdf)")
"""Files that this module writes."""


def write_power(found: PowerResults, target: Path | None = None) -> list[Path]:
    """Write ``power.csv`` into a folder, which replaces an earlier one; return the files.

    Raises
    ------
    StimgenError
        The folder holds something else, or cannot be written.
    """
    folder = target or Path("power") / found.experiment
    check_holds_only_tables(folder, OURS)
    with replace_folder(folder) as fresh, write_atomically(fresh / "power.csv") as stream:
        text = found.rates.to_csv(index=False, float_format="%.6g", na_rep="n/a", lineterminator="\n")
        stream.write(text.encode("utf-8"))
    return [folder / "power.csv"]
