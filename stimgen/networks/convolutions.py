"""Replaces convolutions whose bits would depend on the number of threads or on the batch.

oneDNN sums 1 x 1 convolutions of many maps, and the gradients of strided ones, in an order that depends on
the number of threads. Here products of matrices with short sums, and dense convolutions, take their place.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

# The libraries' products of matrices split longer sums among threads.
LONGEST_SUM = 256


class PointwiseConvolution(nn.Module):
    """Computes a 1 x 1 convolution as products of matrices, for batches of two or more.

    The original `convolution` must have no padding and no groups.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight = convolution.weight
        self.bias = convolution.bias
        self._stride = int(convolution.stride[0])

    def forward(self, maps: Tensor) -> Tensor:
        """Return batch x channels x height x width, channels last in memory."""
        maps = maps[:, :, :: self._stride, :: self._stride]
        batch, _, height, width = maps.shape
        flat = maps.permute(0, 2, 3, 1).reshape(batch, height * width, -1)
        product: Tensor = _MatrixProduct.apply(flat, self.weight.flatten(1))
        if self.bias is not None:
            product = product + self.bias
        return product.view(batch, height, width, -1).permute(0, 3, 1, 2)


class _MatrixProduct(torch.autograd.Function):
    """Multiplies maps (batch x positions x inputs) by weights (outputs x inputs), which have no gradient."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(weights)
        return _multiply(maps, weights.T)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (weights,) = ctx.saved_tensors
        return _multiply(gradient, weights), None


def _multiply(maps: Tensor, matrix: Tensor) -> Tensor:
    parts = zip(torch.split(maps, LONGEST_SUM, 2), torch.split(matrix, LONGEST_SUM, 0), strict=True)
    # With a transposed matrix, the order of the sums would still depend on the threads.
    return reduce(torch.add, (torch.bmm(m, p.contiguous().expand(len(maps), -1, -1)) for m, p in parts))


class StridedConvolution(nn.Module):
    """Computes a strided convolution as a dense one of blocks of positions.

    Each block of stride x stride positions becomes one position with as many times the maps; the filters are
    rearranged in the same way. The original `convolution` must be square, padded with zeros and not grouped.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self._stride, self._kernel = int(convolution.stride[0]), int(convolution.kernel_size[0])
        self._padding = int(convolution.padding[0])
        missing = -self._kernel % self._stride
        whole = functional.pad(convolution.weight, (0, missing, 0, missing))
        self.weight = nn.Parameter(functional.pixel_unshuffle(whole, self._stride), requires_grad=False)
        self.bias = convolution.bias

    def forward(self, maps: Tensor) -> Tensor:
        """Return batch x channels x height x width."""
        padding: list[int] = []
        for side in (maps.shape[3], maps.shape[2]):
            # Up to the end of the last window's last block; no window sees what lies beyond.
            windows = (side + 2 * self._padding - self._kernel) // self._stride
            blocks = windows + -(-self._kernel // self._stride)
            padding += [self._padding, blocks * self._stride - side - self._padding]
        unshuffled = functional.pixel_unshuffle(functional.pad(maps, padding), self._stride)
        unshuffled = unshuffled.contiguous(memory_format=torch.channels_last)
        return functional.conv2d(unshuffled, self.weight, self.bias)


def replace_convolutions(module: nn.Module) -> nn.Module:
    """Return `module` with these convolutions replaced, also inside its parts."""
    for name, part in list(module.named_children()):
        setattr(module, name, replace_convolutions(part))
    if not isinstance(module, nn.Conv2d):
        return module
    if module.kernel_size == (1, 1):
        return PointwiseConvolution(module)
    return module if module.stride == (1, 1) else StridedConvolution(module)
