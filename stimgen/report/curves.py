"""Reads the losses of a synthesis for a small drawing."""

from __future__ import annotations

import csv
import math

from stimgen.reading.errors import StimgenError
from stimgen.report.pictures import read_checked
from stimgen.stimulus_set.record import RecordContent
from stimgen.stimulus_set.store import Store

MOST_POINTS = 80  # per scale

Curve = list[list[tuple[int, float]]]


def read_curve(store: Store, content: RecordContent) -> Curve:
    """Return, for every scale, a list of evaluations, counted from 1 over all scales, and losses.

    Losses that a logarithmic axis cannot show are left out. Of many points, the first and the last of every
    scale are kept, and some between them.
    """
    text = read_checked(store, content.trace).decode("utf-8", errors="replace")
    scales: dict[str, list[tuple[int, float]]] = {}
    try:
        for i, row in enumerate(csv.DictReader(text.splitlines()), start=1):
            loss = float(row["total"])
            if math.isfinite(loss) and loss > 0:
                scales.setdefault(row["scale"], []).append((i, float(f"{loss:.4g}")))
    except (KeyError, TypeError, ValueError, csv.Error):
        raise StimgenError("is not a trace of losses", where=store.path(content.trace.file)) from None
    return [_thin_out(points) for points in scales.values()]


def _thin_out(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    step = max(1, math.ceil((len(points) - 1) / (MOST_POINTS - 1)))
    return [*points[:-1:step], points[-1]]
