"""Numbers of conditions, durations and eccentricities, from records or as they are given."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stimgen.experiment.design.decisions import Factor
from stimgen.experiment.trials.levels import build_level_scale, find_harder_direction
from stimgen.reading.errors import StimgenError


def terms(*regions: dict[str, Any], layers: int = 1) -> list[dict[str, Any]]:
    """Terms as records have them, one for each layout of regions."""
    return [{"layers": {f"l{i}": 1.0 for i in range(layers)}, "regions": one} for one in regions]


def grid(rows: int, columns: int) -> dict[str, Any]:
    return {"name": "grid", "rows": rows, "columns": columns, "overlap": 0.5}


def polar(scaling: float) -> dict[str, Any]:
    return {"name": "polar", "scaling": scaling, "fovea": 0.02}


RECORDS = {
    "whole": terms(grid(1, 1), layers=3),
    "few": terms(grid(2, 3), layers=1),
    "many": terms(grid(4, 4), grid(4, 4), layers=2),
    "mixed": terms(grid(4, 4), grid(2, 2)),
    "narrow": terms(polar(0.25)),
    "wide": terms(polar(1.0), grid(1, 1)),
    "noise": [],
}


def level(by: str, *conditions: str, given: dict[str, float] | None = None, **factors: Any) -> Any:
    pool: Any = SimpleNamespace(
        sources=("a",),
        practice_sources=(),
        record=lambda _, condition: SimpleNamespace(terms=RECORDS[condition]),
    )
    every = (Factor("condition", conditions), *(Factor(name, values) for name, values in factors.items()))
    found = build_level_scale(by, given or {}, every, pool, 50.0)
    return found.factor, dict(zip(found.values, found.numbers, strict=True))


def test_levels_are_read_from_records_and_put_in_order() -> None:
    found = level("regions", "many", "whole", "few")
    assert found == ("condition", {"whole": 1.0, "few": 6.0, "many": 16.0})
    assert list(found[1]) == ["whole", "few", "many"]
    assert level("scaling", "wide", "narrow")[1] == {"narrow": 0.25, "wide": 1.0}
    assert level("depth", "whole", "few", "many")[1] == {"few": 1.0, "many": 2.0, "whole": 3.0}


def test_levels_of_other_factors() -> None:
    durations = ("2000 ms", "10 frames", "50 ms")
    found = level("duration", "whole", duration=durations)
    assert found == ("duration", {"50 ms": 50.0, "10 frames": 200.0, "2000 ms": 2000.0})
    assert level("eccentricity", "whole", eccentricity=(10.0, 2.5))[1] == {2.5: 2.5, 10.0: 10.0}


def test_levels_may_be_given() -> None:
    given = {"noise": 3.0, "mixed": -1.0}
    assert level("condition", "noise", "mixed", given=given)[1] == {"mixed": -1.0, "noise": 3.0}
    assert level("scaling", "noise", "mixed", given=given)[1] == {"mixed": -1.0, "noise": 3.0}


@pytest.mark.parametrize(
    ("by", "apart", "named"),
    [
        ("scaling", "lower", "higher"),
        ("regions", "higher", "lower"),
        ("depth", "higher", "lower"),
        ("duration", "lower", "lower"),
        ("soa", "lower", "lower"),
        ("eccentricity", "higher", "higher"),
        ("condition", None, None),
    ],
)
def test_what_is_harder_to_tell_apart_may_be_easier_to_name(
    by: str, apart: str | None, named: str | None
) -> None:
    assert find_harder_direction(by) == apart
    assert find_harder_direction(by, likeness_helps=True) == named


@pytest.mark.parametrize(
    ("by", "conditions", "settings", "message"),
    [
        ("regions", ("whole", "mixed"), {}, "regions.* 'mixed'"),
        ("depth", ("whole", "noise"), {}, "depth.* 'noise'"),
        ("scaling", ("wide", "whole"), {}, "scaling.* 'whole'"),
        ("depth", ("few", "narrow"), {}, "'few' and 'narrow' .*depth 1"),
        ("condition", ("few", "many"), {"given": {"few": 1.0}}, "no number for condition 'many'"),
        ("condition", ("few",), {"given": {"few": 1.0, "fwe": 2.0}}, "there is no condition 'fwe'"),
        ("duration", ("few",), {}, "duration, which has only one value"),
        ("duration", ("few",), {"given": {"few": 1.0}, "duration": ("50 ms",)}, "numbers of conditions"),
    ],
)
def test_levels_that_cannot_be_told(
    by: str, conditions: tuple[str, ...], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(StimgenError, match=message):
        level(by, *conditions, **settings)
