"""Rounds numbers as records keep them."""

from __future__ import annotations

import math

DIGITS = 6


def round_significant(value: float) -> float | None:
    """Round to six significant digits, which hide the last bits of sums; return None for NaN."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
