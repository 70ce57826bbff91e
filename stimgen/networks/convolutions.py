"""Replaces convolutions whose bits would depend on the number of threads or on the batch.

oneDNN sums 1 x 1 convolutions of many maps, and the gradients of strided ones, in an order that depends on
the number of threads. Here products of matrices with short sums, and dense convolutions, take their place.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from stimgen.networks.matrix_products import MatrixProduct


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
        return multiply_pointwise(maps[:, :, :: self._stride, :: self._stride], self.weight, self.bias)


def multiply_pointwise(maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return the 1 x 1 convolution of maps: batch x channels x height x width, channels last in memory."""
    batch, _, height, width = maps.shape
    flat = maps.permute(0, 2, 3, 1).reshape(batch, height * width, -1)
    product: Tensor = MatrixProduct.apply(flat, weight.flatten(1))
    if bias is not None:
        product = product + bias
    return product.view(batch, height, width, -1).permute(0, 3, 1, 2)


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
        if self.weight.shape[2:] == (1, 1):
            # Windows that touch without overlapping, as those that cut pictures into patches.
            return multiply_pointwise(unshuffled, self.weight, self.bias)
        return functional.conv2d(unshuffled, self.weight, self.bias)


def replace_convolutions(module: nn.Module) -> nn.Module:
    """Return `module` with these convolutions replaced, also inside its parts."""
    for name, part in list(module.named_children()):
        setattr(module, name, replace_convolutions(part))
    # A subclass may do something else; convolutions in groups have short sums.
    if type(module) is not nn.Conv2d or module.groups > 1 or module.dilation != (1, 1):
        return module
    if module.kernel_size == (1, 1) and module.padding == (0, 0):
        return PointwiseConvolution(module)
    return StridedConvolution(module) if _is_replaceable(module) else module


def _is_replaceable(convolution: nn.Conv2d) -> bool:
    """Return whether a convolution is strided, square and padded with zeros."""
    pairs = (convolution.kernel_size, convolution.stride, convolution.padding)
    square = all(not isinstance(pair, str) and pair[0] == pair[1] for pair in pairs)
    return square and convolution.stride != (1, 1) and convolution.padding_mode == "zeros"
