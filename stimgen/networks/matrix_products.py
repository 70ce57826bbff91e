"""Multiplies matrices with sums whose order depends neither on the number of threads nor on the batch."""

from __future__ import annotations

from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# The libraries' products of matrices split longer sums among threads.
LONGEST_SUM = 256


class MatrixProduct(torch.autograd.Function):
    """Multiplies maps (batch x positions x inputs) by weights (outputs x inputs), which have no gradient."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weights: Tensor) -> Tensor:
        """Return batch x positions x outputs."""
        ctx.save_for_backward(weights)
        return _multiply_by_matrix(maps, weights.T)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Return the gradient to the maps."""
        (weights,) = ctx.saved_tensors
        return _multiply_by_matrix(gradient, weights), None


class BatchedProduct(torch.autograd.Function):
    """Multiplies batches of matrices (batch x rows x inner, batch x inner x columns)."""

    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor) -> Tensor:
        """Return batch x rows x columns."""
        ctx.save_for_backward(left, right)
        return _multiply_batches(left, right)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients to both factors."""
        left, right = ctx.saved_tensors
        return (
            _multiply_batches(gradient, right.transpose(1, 2)),
            _multiply_batches(left.transpose(1, 2), gradient),
        )


def multiply_linear(values: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return what ``torch.nn.functional.linear`` does, for values of two or more dimensions."""
    flat = values.reshape(len(values), -1, values.shape[-1])
    product: Tensor = MatrixProduct.apply(flat, weight)
    if bias is not None:
        product = product + bias
    return product.view(*values.shape[:-1], len(weight))


def multiply_stacks(left: Tensor, right: Tensor) -> Tensor:
    """Return the products of two stacks of matrices with the same leading dimensions."""
    stack = left.shape[:-2]
    product: Tensor = BatchedProduct.apply(left.flatten(0, -3), right.flatten(0, -3))
    return product.view(*stack, *product.shape[1:])


def _multiply_by_matrix(maps: Tensor, matrix: Tensor) -> Tensor:
    parts = zip(torch.split(maps, LONGEST_SUM, 2), torch.split(matrix, LONGEST_SUM, 0), strict=True)
    # With a transposed matrix, the order of the sums would still depend on the threads.
    return reduce(torch.add, (torch.bmm(m, p.contiguous().expand(len(maps), -1, -1)) for m, p in parts))


def _multiply_batches(left: Tensor, right: Tensor) -> Tensor:
    parts = zip(torch.split(left, LONGEST_SUM, 2), torch.split(right, LONGEST_SUM, 1), strict=True)
    return reduce(torch.add, (torch.bmm(a.contiguous(), b.contiguous()) for a, b in parts))
