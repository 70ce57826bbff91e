"""Our thresholds are near those of psignifit, another implementation (Schütt et al. 2016).

psignifit is under the GPL, so that stimgen neither needs nor imports it: only tests do.
It has priors, which pull a little where data are few.
"""

from __future__ import annotations

import numpy as np
import pytest

from stimgen.analysis.psychometric import fit_psychometric
from stimgen.analysis.psychometric_curve import Curve, LevelCounts

psignifit = pytest.importorskip("psignifit", reason="psignifit is a reference only, and not required")

# A Weibull function of the level is a Gumbel function of its logarithm.
FORMS = {"logistic": "logistic", "normal": "norm", "weibull": "gumbel"}


@pytest.mark.parametrize("function", FORMS)
@pytest.mark.parametrize("alternatives", [2, 3])
def test_thresholds_of_another_implementation(function: str, alternatives: int) -> None:
    curve = Curve(function, 1 / alternatives)
    levels = np.linspace(1.0, 9.0, 9)
    axis, place = curve.to_axis(levels), curve.to_axis(np.array(4.5))
    slope = 3.0 if function == "weibull" else 1.2
    correct = np.round(200 * curve.predict(axis, place, np.array(slope), np.array(0.01)))
    ours = fit_psychometric(LevelCounts(levels, correct, np.full(9, 200.0)), curve)
    assert ours is not None
    data = np.column_stack([axis, correct, np.full(9, 200.0)])
    theirs = psignifit.psignifit(data, experiment_type=f"{alternatives}AFC", sigmoid=FORMS[function])
    found = [theirs.parameter_estimate["threshold"], *theirs.confidence_intervals["threshold"]["0.95"]]
    value, low, high = curve.from_axis(np.array(found))
    assert ours.threshold.value == pytest.approx(value, rel=0.02)
    assert ours.threshold.low == pytest.approx(low, abs=0.2)
    assert ours.threshold.high == pytest.approx(high, abs=0.2)
