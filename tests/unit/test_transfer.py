"""Copies to a GPU are pinned and not waited for, and copies anywhere hold the same numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from stimgen.computation.transfer import send_numbers, send_tensor

CPU = torch.device("cpu")


class FakeTensor:
    """Notes what is asked of it."""

    dtype = torch.float32

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def pin_memory(self) -> FakeTensor:
        self.asked.append(("pin_memory",))
        return self

    def to(self, place: Any, *, non_blocking: bool = False) -> FakeTensor:
        self.asked.append((str(place), non_blocking))
        return self


@pytest.mark.parametrize(
    ("device", "asked"),
    [
        ("cuda:1", [("torch.float32", False), ("pin_memory",), ("cuda:1", True)]),
        ("mps", [("torch.float32", False), ("mps", False)]),
        ("cpu", [("torch.float32", False), ("cpu", False)]),
    ],
)
def test_only_cuda_is_sent_pinned_memory(device: str, asked: list[tuple[Any, ...]]) -> None:
    values = FakeTensor()
    send_tensor(values, torch.device(device))  # type: ignore[arg-type]  # a stand-in for a tensor
    assert values.asked == asked


def test_the_numbers_and_their_kind_are_kept() -> None:
    sent = send_numbers([[0.1, 0.2], [0.3, 1e-9]], CPU, torch.float32)
    assert torch.equal(sent, torch.tensor([[0.1, 0.2], [0.3, 1e-9]], dtype=torch.float32))
    assert send_numbers([True, False], CPU).dtype == torch.bool
    assert send_numbers([3, 1], CPU).tolist() == [3, 1]
    values = torch.rand(4, dtype=torch.float64)
    assert torch.equal(send_tensor(values, CPU, torch.float32), values.float())
