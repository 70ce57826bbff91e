"""What a convolutional network does step by step, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stimgen.images.geometry import ReceptiveField


@dataclass(frozen=True)
class NetworkStep:
    """One named step, from maps to maps.

    Attributes
    ----------
    name : str
        What protocols call the layer that comes out.
    channels : int
        Its maps.
    modules : tuple of str
        Paths of torchvision's modules that do it, one after the other.
    kernel, stride, padding : int
        Geometry along a side; of a block, that of its widest way through.
    ceiling : bool
        Whether a last window may stand over the border.
    kept : int
        Maps of the step's output side that a backward pass needs.
    kept_before : int
        Those of its input side.
    """

    name: str
    channels: int
    modules: tuple[str, ...]
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    ceiling: bool = False
    kept: int = 0
    kept_before: int = 0

    def side(self, side: int) -> int:
        """Return how many positions come out along a side of `side`; none: 0."""
        beyond = side + 2 * self.padding - self.kernel
        if not self.ceiling:
            return max(beyond // self.stride + 1, 0)
        positions = -(-beyond // self.stride) + 1
        # The last window begins inside, or it is left out.
        return max(positions - 1 if (positions - 1) * self.stride >= side + self.padding else positions, 0)

    def field(self, before: ReceptiveField) -> ReceptiveField:
        """Return the receptive field of what comes out."""
        return before.after(self.kernel, self.stride, self.padding)


def convolution_step(
    name: str, channels: int, module: str, window: tuple[int, int, int] = (3, 1, 1)
) -> NetworkStep:
    """Return a convolution whose `window` has this kernel, stride and padding."""
    return NetworkStep(name, channels, (module,), *window, kept=channels)


def rectification_step(name: str, channels: int, *modules: str) -> NetworkStep:
    """Return a rectification, which happens in place."""
    return NetworkStep(name, channels, modules)


def pooling_step(
    name: str, channels: int, module: str, kernel: int = 2, *, ceiling: bool = False
) -> NetworkStep:
    """Return a pooling of every second position."""
    return NetworkStep(name, channels, (module,), kernel, 2, ceiling=ceiling, kept=channels)


def cumulative_depths(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return every name with all that stand before it.

    Examples
    --------
    >>> cumulative_depths(["pool1", "pool2"])
    {'pool1': ('pool1',), 'pool2': ('pool1', 'pool2')}
    """
    return {name: tuple(names[: i + 1]) for i, name in enumerate(names)}
