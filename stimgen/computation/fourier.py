"""Transforms spectra back to pictures with the same bits for any number of threads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from stimgen.computation.threads import one_thread


def invert_real_spectra(spectra: Tensor, size: Sequence[int]) -> Tensor:
    """Return the pictures, of height and width `size`, whose ``torch.fft.rfft2`` is `spectra`.

    Intel's library divides transforms of 64 x 64, 32 x 32 and up to 16 x 16 numbers among threads in a way
    that changes their bits, but only in this direction.
    """
    with one_thread():
        pictures: Tensor = torch.fft.irfft2(spectra, s=tuple(size))
    return pictures
