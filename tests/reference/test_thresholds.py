"""Thresholds of adaptive tracks: what is averaged, when there is none, and that no criterion moves them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimgen.experiment.design.detection import DetectionRule
from stimgen.experiment.design.paradigms.same_different import SameDifferent
from stimgen.experiment.design.paradigms.yes_no import YesNo
from stimgen.experiment.design.schedules.dprime_engine import DprimeEngine
from stimgen.experiment.design.schedules.posterior import (
    LevelAnswer,
    describe_posterior,
    explain_no_threshold,
)
from stimgen.experiment.design.schedules.reversals import (
    average_reversals,
    compute_target,
    find_reversals,
    trace_moves,
)

SCALE = (1.0, 2.0, 3.0, 4.0, 5.0)
LEVELS = tuple(0.2 * 1.4**i for i in range(7))
GRID = tuple(LEVELS[0] * (LEVELS[-1] / LEVELS[0]) ** (i / 39) for i in range(40))


def walk(answers: str, scale: tuple[float, ...] = SCALE, start: int = 4) -> tuple[list[float], list[int]]:
    """Return levels and moves of a staircase, one up and one down, lower levels harder."""
    moves = trace_moves([answer == "+" for answer in answers], up=1, down=1)
    index, levels = start, []
    for move in moves:
        levels.append(scale[index])
        index = max(0, min(len(scale) - 1, index - move))
    return levels, moves


def test_the_threshold_is_the_mean_of_the_reversals_without_the_first_two() -> None:
    #                     5 4 3 2 3 2 3 4 3 4
    levels, moves = walk("+++-+--+-+")
    found = average_reversals(levels, moves, SCALE, "lower")
    assert found.reversals == (3, 4, 5, 7, 8, 9)
    assert [levels[i] for i in found.used] == [2.0, 4.0, 3.0, 4.0]
    assert (found.threshold, found.reason, found.geometric) == (3.25, None, False)
    assert found.sd == pytest.approx(np.std([2, 4, 3, 4], ddof=1), abs=1e-6)
    # With one reversal more, the third is left out, so that peaks and valleys are as many.
    levels, moves = walk("+++-+--+-+-")
    found = average_reversals(levels, moves, SCALE, "lower")
    assert found.used == (7, 8, 9, 10)


def test_levels_with_even_ratios_are_averaged_by_their_logarithms() -> None:
    scale = (1.0, 2.0, 4.0, 8.0, 16.0)
    levels, moves = walk("++-+-+-+-+", scale)
    found = average_reversals(levels, moves, scale, "lower")
    assert found.geometric
    assert found.threshold == pytest.approx(np.sqrt(4.0 * 8.0), abs=1e-6)


@pytest.mark.parametrize(
    ("answers", "harder", "reason"),
    [
        ("+++-+", "lower", "2 reversals are too few"),
        ("++-++--+", "lower", "4 reversals are too few"),
        ("++++++++++++", "lower", "pinned at the hardest level, 1"),
        ("++++++-+++++-+++++-+++++-+", "lower", "pinned at the hardest level, 1"),
        ("------------", "lower", "pinned at the easiest level, 5"),
        ("------------", "higher", "pinned at the hardest level, 5"),
    ],
)
def test_there_is_no_threshold_and_the_reason_is_told(answers: str, harder: str, reason: str) -> None:
    levels, moves = walk(answers)
    if harder == "higher":
        moves = [-move for move in moves]
    found = average_reversals(levels, moves, SCALE, harder)
    assert found.threshold is None
    assert found.used == ()
    assert reason in str(found.reason)


@given(st.lists(st.sampled_from([True, False, None]), max_size=60), st.integers(1, 3), st.integers(1, 3))
def test_moves_follow_runs_of_answers_and_reversals_alternate(
    answers: list[bool | None], up: int, down: int
) -> None:
    moves = trace_moves(answers, up, down)
    assert len(moves) == len(answers)
    # A trial without an answer changes nothing.
    assert [move for move, answer in zip(moves, answers, strict=True) if answer is not None] == trace_moves(
        [answer for answer in answers if answer is not None], up, down
    )
    turned = [moves[i] for i in find_reversals(moves)]
    assert all(move == -before for before, move in pairwise(turned))


def test_targets_are_levitts() -> None:
    found = [compute_target(1, down) for down in (1, 2, 3, 4)] + [compute_target(2, 1)]
    assert found == pytest.approx([0.5, 0.5**0.5, 0.5 ** (1 / 3), 0.5**0.25, 1 - 0.5**0.5])


def test_a_posterior_tells_a_threshold_unless_it_leans_on_an_end() -> None:
    values = [1.0, 2.0, 3.0, 4.0]
    inner = describe_posterior(values, [0.05, 0.5, 0.4, 0.05])
    assert explain_no_threshold(inner) is None
    assert inner.mean == pytest.approx(2.45)
    assert inner.quantiles == {"0.025": 1.0, "0.16": 2.0, "0.5": 2.0, "0.84": 3.0, "0.975": 4.0}
    low = describe_posterior(values, [0.7, 0.2, 0.1, 0.0])
    assert "pinned at the lowest possible threshold, 1" in str(explain_no_threshold(low))
    high = describe_posterior(values, [0.0, 0.1, 0.2, 0.7])
    assert "pinned at the highest possible threshold, 4" in str(explain_no_threshold(high))
    flat = describe_posterior(values, [0.25] * 4)
    assert "too little" in str(explain_no_threshold(flat))
    assert flat.entropy == 2.0


def measure(
    rule: DetectionRule, criterion: float, runs: int, trials: int = 100, sign: int = 1
) -> list[float]:
    """Return thresholds of an observer whose d' is 1 at a level of 0.6, with one criterion for all trials."""
    found = []
    for run in range(runs):
        rng = np.random.default_rng(run)
        engine = DprimeEngine(rule, LEVELS, sign, GRID, (1.0, 2.0, 3.5, 5.0), (0.0, 0.02, 0.05))
        history: list[LevelAnswer] = []
        for i in range(trials):
            level = engine.choose_level(history) if i % 2 else None
            dprime = 0.0 if level is None else (LEVELS[level] / 0.6) ** (sign * 2.5)
            reported = rng.random() < float(rule.predict(np.asarray(dprime), criterion))
            history.append(LevelAnswer(level, bool(reported)))
        posterior, _ = engine.estimate(history)
        assert explain_no_threshold(posterior) is None
        found.append(posterior.mean)
    return found


# Criteria of -1 to 1 from the midpoint at d' = 1 in yes-no; false alarms from 84 to 7 per cent.
CRITERIA = [
    *(pytest.param(YesNo.detection, place, id=f"yes_no-{place}") for place in (-0.5, 0.5, 1.5)),
    *(
        pytest.param(SameDifferent.detection, place, id=f"same_different-{place}")
        for place in (0.5, 1.5, 2.5)
    ),
]


@pytest.mark.parametrize(("rule", "criterion"), CRITERIA)
def test_no_criterion_moves_the_threshold(rule: DetectionRule, criterion: float) -> None:
    assert np.mean(measure(rule, criterion, runs=6)) == pytest.approx(0.6, rel=0.17)


def test_a_threshold_of_levels_that_are_harder_where_they_are_higher() -> None:
    assert YesNo.detection is not None
    assert np.mean(measure(YesNo.detection, 0.5, runs=6, sign=-1)) == pytest.approx(0.6, rel=0.17)


@pytest.mark.long
@pytest.mark.parametrize(("rule", "criterion"), CRITERIA)
def test_fifty_runs_with_any_criterion_find_the_threshold(rule: DetectionRule, criterion: float) -> None:
    found = np.array(measure(rule, criterion, runs=50))
    assert found.mean() == pytest.approx(0.6, rel=0.1)
    assert found.std() < 0.15
