"""Operations with sums of a fixed order give what PyTorch's own give, and their gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from stimgen.networks.stable_operations import SelfAttention, StableOperations

ROWS = 300  # more than the longest sum that is computed at once


def draw(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64) - 0.5


@pytest.mark.parametrize(
    ("compute", "inputs"),
    [
        (lambda x: functional.linear(x, draw(7, ROWS), draw(7)), [draw(2, 5, ROWS)]),
        (lambda x, y: x @ y, [draw(2, 3, 4, ROWS), draw(2, 3, ROWS, 5)]),
        (functional.scaled_dot_product_attention, [draw(2, 3, ROWS, 4) for _ in range(3)]),
        (functional.gelu, [draw(2, 3, 5, 7)]),
        (torch.sigmoid, [draw(2, 3, 5, 7).contiguous(memory_format=torch.channels_last)]),
    ],
    ids=["linear", "product", "attention", "gelu", "sigmoid"],
)
def test_values_and_gradients_are_pytorchs(compute: Callable[..., Tensor], inputs: list[Tensor]) -> None:
    leaves = [values.clone().requires_grad_(True) for values in inputs]
    expected = compute(*leaves)
    with StableOperations():
        found = compute(*leaves)
    torch.testing.assert_close(found, expected)
    weights = draw(*expected.shape)
    wanted = torch.autograd.grad((expected * weights).sum(), leaves)
    torch.testing.assert_close(torch.autograd.grad((found * weights).sum(), leaves), wanted)


def test_attention_of_a_sequence_to_itself_is_pytorchs() -> None:
    attention = nn.MultiheadAttention(8, 2, batch_first=True).double().eval().requires_grad_(False)
    sequence = draw(2, ROWS, 8).requires_grad_(True)
    expected, _ = attention(sequence, sequence, sequence, need_weights=False)
    with StableOperations():
        found, _ = SelfAttention(attention)(sequence, sequence, sequence, need_weights=False)
    torch.testing.assert_close(found, expected)
    weights = draw(*expected.shape)
    wanted, own = (torch.autograd.grad((maps * weights).sum(), sequence)[0] for maps in (expected, found))
    torch.testing.assert_close(own, wanted)
