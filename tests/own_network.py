"""Defines a small recurrent network in the manner of CORnet: areas, one of which is used twice."""

from __future__ import annotations

from torch import Tensor, nn


class Area(nn.Module):
    """Has a convolution that is used several times, each with a skip connection."""

    def __init__(self, inputs: int, maps: int, times: int = 1) -> None:
        super().__init__()
        self.times = times
        self.input = nn.Conv2d(inputs, maps, 3, stride=2, padding=1)
        self.conv = nn.Conv2d(maps, maps, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps of half the size."""
        x = self.relu(self.input(x))
        for _ in range(self.times):
            x = self.relu(self.conv(x) + x)
        return x


class Recurrent(nn.Module):
    """Tells ten classes apart."""

    def __init__(self) -> None:
        super().__init__()
        self.V1 = Area(3, 16)
        self.V2 = Area(16, 32, times=2)
        self.V4 = Area(32, 64)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))

    def forward(self, x: Tensor) -> Tensor:
        """Return batch x 10."""
        scores: Tensor = self.head(self.V4(self.V2(self.V1(x))))
        return scores
