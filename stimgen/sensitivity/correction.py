"""Keeps proportions of 0 and 1 from giving an infinite d'."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stimgen.reading.errors import StimgenError

CORRECTIONS = {
    "log-linear": "0.5 is added to every count, and 1 to every number of trials (Hautus 1995)",
    "1/(2N)": "counts of 0 and N are replaced by 1/2 and N - 1/2 (Macmillan & Kaplan 1985)",
    "none": "proportions are taken as they are, so that d' can be infinite",
}
"""How extreme proportions are corrected, by name."""


def correct_counts(count: ArrayLike, trials: ArrayLike, correction: str = "1/(2N)") -> NDArray[np.float64]:
    """Return the proportions that d' is computed from.

    Parameters
    ----------
    count, trials : array_like
        How often something happened, and in how many trials.
    correction : str
        A name of `CORRECTIONS`.

    Returns
    -------
    ndarray
        Proportions; NaN where there are no trials.

    Raises
    ------
    StimgenError
        There is no such correction.

    Examples
    --------
    >>> correct_counts([0, 5, 10], 10, "log-linear").round(4).tolist()
    [0.0455, 0.5, 0.9545]
    >>> correct_counts([0, 5, 10], 10, "1/(2N)").tolist()
    [0.05, 0.5, 0.95]
    """
    if correction not in CORRECTIONS:
        raise StimgenError(
            f"there is no correction {correction!r}", given=correction, allowed=list(CORRECTIONS)
        )
    k, n = np.broadcast_arrays(np.asarray(count, dtype=float), np.asarray(trials, dtype=float))
    with np.errstate(invalid="ignore", divide="ignore"):
        if correction == "log-linear":
            return np.where(n > 0, (k + 0.5) / (n + 1), np.nan)
        if correction == "1/(2N)":
            k = np.clip(k, 0.5, np.maximum(n - 0.5, 0.5))
        return np.where(n > 0, k / n, np.nan)
