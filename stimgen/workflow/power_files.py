"""Writes the results of a power analysis."""

from __future__ import annotations

import re
from pathlib import Path

from stimgen.analysis.figures import write_formats
from stimgen.analysis.figures.power import draw_power
from stimgen.export.derived import check_holds_only_tables
from stimgen.reading.atomic import replace_folder, write_atomically
from stimgen.reading.errors import StimgenError
from stimgen.workflow.power import PowerResults

OURS = re.compile(r"power\.(csv|png|svg|pdf)")
"""Files that this module writes."""


def write_power(found: PowerResults, target: Path | None = None) -> list[Path]:
    """Write ``power.csv`` and its figure into a folder, which replaces an earlier one; return the files.

    Without matplotlib there is no figure.

    Raises
    ------
    StimgenError
        The folder holds something else, or cannot be written.
    """
    folder = target or Path("power") / found.experiment
    check_holds_only_tables(folder, OURS)
    text = found.rates.to_csv(index=False, float_format="%.6g", na_rep="n/a", lineterminator="\n")
    files = {"power.csv": text.encode("utf-8"), **_draw(found)}
    with replace_folder(folder) as fresh:
        for name, data in files.items():
            with write_atomically(fresh / name) as stream:
                stream.write(data)
    return [folder / name for name in files]


def _draw(found: PowerResults) -> dict[str, bytes]:
    try:
        figure = draw_power(found.rates, found.confidence).figure
        return {f"power.{kind}": data for kind, data in write_formats(figure).items()}
    except StimgenError:
        return {}
