"""Describes convolutional networks step by step, as data."""

from __future__ import annotations

from dataclasses import dataclass

from stimgen.images.geometry import ReceptiveField


@dataclass(frozen=True)
class NetworkStep:
    """Describes one step of a network, from feature maps to the feature maps of a layer.

    `modules` are the paths of torchvision's modules that compute it, in order. `kernel`, `stride` and
    `padding` are its geometry along a side; for a block, that of its widest path. With `ceil`, a last
    window may extend over the border.
    """

    name: str
    channels: int
    modules: tuple[str, ...]
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    ceil: bool = False

    def output_side(self, side: int) -> int:
        """Return how many positions (0 or more) the output has along a side of `side` positions."""
        beyond = side + 2 * self.padding - self.kernel
        if not self.ceil:
            return max(beyond // self.stride + 1, 0)
        positions = -(-beyond // self.stride) + 1
        # The last window begins inside, or it is left out.
        return max(positions - 1 if (positions - 1) * self.stride >= side + self.padding else positions, 0)

    def receptive_field(self, before: ReceptiveField) -> ReceptiveField:
        """Return the receptive field of the output."""
        return before.after(self.kernel, self.stride, self.padding)


def conv_step(name: str, channels: int, module: str, window: tuple[int, int, int] = (3, 1, 1)) -> NetworkStep:
    """Return a convolution with a `window` of this kernel, stride and padding."""
    return NetworkStep(name, channels, (module,), *window)


def relu_step(name: str, channels: int, *modules: str) -> NetworkStep:
    """Return a rectification, which works in place."""
    return NetworkStep(name, channels, modules)


def pool_step(name: str, channels: int, module: str, kernel: int = 2, *, ceil: bool = False) -> NetworkStep:
    """Return a pooling step with a stride of two positions."""
    return NetworkStep(name, channels, (module,), kernel, 2, ceil=ceil)
