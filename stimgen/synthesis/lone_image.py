"""Computes one of two images where the other need not be: it is the same, or it has not moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from stimgen.synthesis.evaluation import Evaluation

EvaluateImages = Callable[[Tensor, Tensor], Evaluation]


@dataclass(frozen=True)
class _KnownEvaluation:
    rows: Tensor
    variables: Tensor
    evaluation: Evaluation


class LoneImageEvaluator:
    """Leaves out one of two images of an evaluation where that changes no bit.

    A batch never has fewer than two images, because some sums over one image alone are formed in another
    order. So a lone image fills two slots, and an image that is done stays until the last one is. Whether
    an image may be computed alone, in this size, with these threads and on this processor, is tried once.

    Parameters
    ----------
    twins : bool
        Whether both images of the batch have the same targets.
    """

    def __init__(self, *, twins: bool) -> None:
        self._twins = twins
        self._stable: dict[int, bool] = {}
        self._last: _KnownEvaluation | None = None

    def evaluate(self, function: EvaluateImages, variables: Tensor, rows: Tensor | None) -> Evaluation:
        """Return what `function`, an evaluation, gives for images and their rows; in order if left out."""
        if rows is None:
            rows = torch.arange(len(variables))
        if len(variables) != 2:
            return function(variables, rows)
        found = self._evaluate_two(function, variables, rows)
        self._last = _KnownEvaluation(rows.clone(), variables.detach().clone(), found.clone())
        return found

    def _evaluate_two(self, function: EvaluateImages, variables: Tensor, rows: Tensor) -> Evaluation:
        if self._twins and torch.equal(variables[0], variables[1]):
            first = self._evaluate_one(function, 0, variables, rows)
            return first if len(first.parts) == 2 else _join(first, first)
        last = self._last
        if last is not None and torch.equal(last.rows, rows):
            for i in (0, 1):
                if torch.equal(variables[1 - i], last.variables[1 - i]):
                    other = last.evaluation.select(1 - i)
                    one = self._evaluate_one(function, i, variables, rows)
                    if len(one.parts) == 2:
                        return one
                    return _join(one, other) if i == 0 else _join(other, one)
        return function(variables, rows)

    def _evaluate_one(self, function: EvaluateImages, i: int, variables: Tensor, rows: Tensor) -> Evaluation:
        """Return the evaluation of the i-th image; of both, if it is not yet known to be the same alone."""
        if self._stable.get(i) is False:
            return function(variables, rows)
        one = function(variables[i : i + 1], rows[i : i + 1])
        if i in self._stable:
            return one
        both = function(variables, rows)
        self._stable[i] = both.select(i).equals(one)
        return both


def _join(first: Evaluation, second: Evaluation) -> Evaluation:
    return Evaluation(torch.cat([first.parts, second.parts]), torch.cat([first.gradient, second.gradient]))
