"""Finds the reversals of up-down staircases and averages them: pure functions of levels and answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import stdev

IGNORED_REVERSALS = 2
"""The first reversals still depend on where a track began."""
FEWEST_AVERAGED = 4
"""A threshold from two reversals or fewer is none; peaks and valleys are averaged in equal numbers."""
PINNED = 0.25
"""Proportion of moves beyond an end of the levels from which on a track is said to be pinned there."""


@dataclass(frozen=True)
class ReversalAverage:
    """Holds the threshold of a staircase, or why there is none."""

    threshold: float | None
    reason: str | None
    """Why there is no threshold; None if there is one."""
    reversals: tuple[int, ...]
    """Positions of the trials at which the staircase turned, from 0."""
    used: tuple[int, ...]
    """Those that are averaged."""
    geometric: bool
    """Whether the levels' logarithms are averaged, because the levels are more evenly spaced by ratios."""
    sd: float | None
    """Standard deviation of the reversals that are averaged."""


def trace_moves(correct: Sequence[bool | None], up: int, down: int) -> list[int]:
    """Return the move after each trial: 1 is harder, -1 easier, 0 none.

    Trials without an answer (None) are ignored.

    Examples
    --------
    >>> trace_moves([True, True, False, None, True, True], up=1, down=2)
    [0, 1, -1, 0, 0, 1]
    """
    moves, right, wrong = [], 0, 0
    for answer in correct:
        if answer is not None:
            right, wrong = (right + 1, 0) if answer else (0, wrong + 1)
        move = 0 if answer is None else 1 if right == down else -1 if wrong == up else 0
        if move:
            right = wrong = 0
        moves.append(move)
    return moves


def find_reversals(moves: Sequence[int]) -> list[int]:
    """Return the positions of the moves in the other direction than the last move.

    Examples
    --------
    >>> find_reversals([0, 1, -1, 0, 0, 1])
    [2, 5]
    """
    moved = [(i, move) for i, move in enumerate(moves) if move]
    return [i for (_, before), (i, move) in pairwise(moved) if move == -before]


def average_reversals(
    levels: Sequence[float], moves: Sequence[int], scale: Sequence[float], harder: str
) -> ReversalAverage:
    """Return the threshold of a staircase: the mean of its reversals without the first two (Levitt 1971).

    If an odd number remains, the first of these is left out as well, so that there are as many peaks as
    valleys. There is no threshold if fewer than four remain, or if the track was pinned: if at least a
    quarter of its moves since the first two reversals led beyond the hardest or the easiest level.

    Parameters
    ----------
    levels, moves
        Level and move of each trial of the track, see `trace_moves`.
    scale
        All levels, rising.
    harder : {"lower", "higher"}
        Which levels are harder.
    """
    reversals = find_reversals(moves)
    first = min(IGNORED_REVERSALS, len(reversals))
    used = reversals[first + (len(reversals) - first) % 2 :]
    geometric = _has_even_ratios(scale)
    reason = _find_pinned_end(levels, moves, scale, harder, reversals)
    if reason is None and len(used) < FEWEST_AVERAGED:
        reason = (
            f"{len(reversals)} reversals are too few: the first {IGNORED_REVERSALS} are ignored, and at "
            f"least {FEWEST_AVERAGED} are averaged"
        )
    if reason is not None:
        return ReversalAverage(None, reason, tuple(reversals), (), geometric, None)
    found = [levels[i] for i in used]
    mean = sum(map(math.log, found)) / len(found) if geometric else sum(found) / len(found)
    threshold, sd = round(math.exp(mean) if geometric else mean, 6), round(stdev(found), 6)
    return ReversalAverage(threshold, None, tuple(reversals), tuple(used), geometric, sd)


def compute_target(up: int, down: int) -> float:
    """Return the proportion correct at which a staircase converges (Levitt 1971).

    There, `down` correct answers in a row come before `up` wrong ones in a row with probability 1/2.

    Examples
    --------
    >>> [round(compute_target(1, down), 4) for down in (1, 2, 3, 4)]
    [0.5, 0.7071, 0.7937, 0.8409]
    """
    low, high = 0.0, 1.0
    for _ in range(60):
        p = (low + high) / 2
        right, wrong = p ** (down - 1), (1 - p) ** (up - 1)
        harder = right * (1 - (1 - p) ** up) / (right + wrong - right * wrong)
        low, high = (p, high) if harder < 0.5 else (low, p)
    return (low + high) / 2


def _find_pinned_end(
    levels: Sequence[float],
    moves: Sequence[int],
    scale: Sequence[float],
    harder: str,
    reversals: Sequence[int],
) -> str | None:
    """Return that the track was pinned at an end of the scale, and at which; None if it was not."""
    start = reversals[IGNORED_REVERSALS - 1] if len(reversals) >= IGNORED_REVERSALS else -1
    moved = [(level, move) for level, move in list(zip(levels, moves, strict=True))[start + 1 :] if move]
    hardest, easiest = (scale[0], scale[-1]) if harder == "lower" else (scale[-1], scale[0])
    for end, direction, name in ((hardest, 1, "hardest"), (easiest, -1, "easiest")):
        beyond = sum(level == end and move == direction for level, move in moved)
        if beyond and beyond >= PINNED * len(moved):
            return (
                f"the track was pinned at the {name} level, {end:g}: the threshold lies beyond it, or near it"
            )
    return None


def _has_even_ratios(scale: Sequence[float]) -> bool:
    """Return whether the ratios of neighbouring levels are more alike than their differences."""
    if len(scale) < 3 or scale[0] <= 0:
        return False
    differences = [b - a for a, b in pairwise(scale)]
    ratios = [math.log(b / a) for a, b in pairwise(scale)]
    return max(ratios) / min(ratios) < max(differences) / min(differences)
