"""Says how often a signal is reported in tasks in which some trials have none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rates = NDArray[np.float64]


@dataclass(frozen=True)
class DetectionRule:
    """Describes the answers of a task with a criterion, such as yes-no, so that they can be fitted."""

    task: str
    """Name of the paradigm."""
    predict: Callable[[Any, Any], Rates]
    """Returns the probability that a signal is reported, for arrays of d' (0 without a signal) and of the
    criterion, in standard deviations from the mean observation without a signal."""
    criteria: tuple[float, ...]
    """Criteria that an adaptive schedule considers."""
