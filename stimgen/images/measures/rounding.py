"""Numbers as records keep them."""

from __future__ import annotations

import math

DIGITS = 6


def round_significant(value: float) -> float | None:
    """Return six significant digits of `value`, so that the last bits of sums do not show; None for NaN."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
