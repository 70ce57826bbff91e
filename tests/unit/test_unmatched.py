"""What stays where no pooling region measures anything."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from stimgen.statistics.regions import PoolingWindow, Positions
from stimgen.statistics.regions.polar import Polar
from stimgen.synthesis.methods.base import ReferenceInfo
from stimgen.synthesis.methods.objective import ObjectiveMethod
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.source_blend import find_source_blend, measure_coverage
from stimgen.synthesis.term import Term

SIDE = 64
FOVEA = {"name": "polar", "scaling": 1.0, "fovea": 0.2, "compat": True}


def term(**regions: object) -> Term:
    return Term.model_validate(
        {"network": "pixels", "layers": ["luma"], "statistic": "moments", "regions": regions}
    )


def middle(values: np.ndarray) -> np.ndarray:
    return values[SIDE // 2 - 4 : SIDE // 2 + 4, SIDE // 2 - 4 : SIDE // 2 + 4]


def test_published_windows_leave_out_the_fovea_and_others_do_not() -> None:
    covered = measure_coverage([term(**FOVEA)], SIDE, SIDE)
    assert middle(covered).max() == 0.0
    assert covered[SIDE // 2, 4] == pytest.approx(1.0, abs=0.01)
    assert measure_coverage([term(**FOVEA | {"compat": False})], SIDE, SIDE).min() > 0.99
    # Another term may measure there.
    assert measure_coverage([term(**FOVEA), term(name="grid")], SIDE, SIDE).min() == 1.0


def test_sources_are_kept_there_or_blended_or_not() -> None:
    source, image = torch.zeros(1, 1, SIDE, SIDE), torch.ones(1, 1, SIDE, SIDE)
    assert find_source_blend([term(**FOVEA)], source, "start") is None
    assert find_source_blend([term(name="grid")], source, "blend") is None
    for unmatched, between in (("source", False), ("blend", True)):
        blend = find_source_blend([term(**FOVEA)], source, unmatched)
        found = blend.apply(image)[0, 0].numpy()
        assert middle(found).max() == 0.0
        assert found[SIDE // 2, 4] == pytest.approx(1.0, abs=0.01)
        assert bool(((found > 0.05) & (found < 0.95)).any()) == between


def test_older_identities_know_neither() -> None:
    one = ObjectiveMethod(terms=(term(name="polar"),), synthesis=SynthesisSettings())
    assert "unmatched" not in one.recipe(ReferenceInfo())["settings"]
    assert "compat" not in one.recipe(ReferenceInfo())["terms"][0]["regions"]
    other = one.replace(synthesis=SynthesisSettings(unmatched="blend"), terms=(term(**FOVEA),))
    assert other.recipe(ReferenceInfo())["settings"]["unmatched"] == "blend"
    assert other.recipe(ReferenceInfo())["terms"][0]["regions"]["compat"] is True


@pytest.mark.parametrize(("scaling", "aspect", "count"), [(0.5, 1.0, 13), (0.25, 2.0, 50)])
def test_sectors_of_published_windows_end_their_flat_tops_at_the_left(
    scaling: float, aspect: float, count: int
) -> None:
    """With an even number of sectors, these differ from those of the paper's equation."""
    layout = Polar(scaling=scaling, aspect=aspect, compat=True)
    windows = measure_sectors(layout, count)
    half = 0.25 / count * 2 * np.pi
    # Just above and just below the horizontal on the left: the end of a flat top, and a soft edge.
    assert windows(-np.pi + 1e-3).max() == pytest.approx(1.0, abs=0.02)
    assert windows(np.pi - half).max() == pytest.approx(1.0, abs=0.02)
    assert windows(-np.pi + half).max() == pytest.approx(0.5, abs=0.1)


def measure_sectors(layout: Polar, count: int) -> Callable[[float], np.ndarray]:
    """Return a function from an angle to the weights of all windows there, far from the fixation."""
    side = 512
    windows = layout.windows(Positions(side, side, (side, side)))
    assert layout.count_regions(side, side) == len(windows)
    assert len({round(window.total) for window in windows}) > count / 4

    def weights(angle: float) -> np.ndarray:
        found = []
        for radius in np.linspace(150, 250, 40):
            row = int(side / 2 + radius * np.sin(angle))
            column = int(side / 2 + radius * np.cos(angle))
            found.append([look_up(window, row, column) for window in windows])
        # The largest along the radius, where a ring has its flat top.
        return np.array(found).max(0)

    return weights


def look_up(window: PoolingWindow, row: int, column: int) -> float:
    inside = (
        window.rows.start <= row < window.rows.stop and window.columns.start <= column < window.columns.stop
    )
    return float(window.weights[row - window.rows.start, column - window.columns.start]) if inside else 0.0
