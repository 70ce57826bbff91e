"""L-BFGS that knows from the beginning how natural pictures vary, and so needs fewer evaluations."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from stimgen.computation.fourier import invert_real_spectra
from stimgen.computation.transfer import send_tensor
from stimgen.synthesis.optimisers.base import QuasiNewton
from stimgen.synthesis.optimisers.lbfgs import LbfgsBatch
from stimgen.synthesis.ranges import PixelBounds

# Chosen by a judge network's scores of textures (docs/performance.md): nearby values do as well.
EXPONENT = 0.5
BRIGHTNESS = 4.0


class PreconditionedLbfgs(QuasiNewton):
    """Runs L-BFGS with steps that are longer at low frequencies and in brightness, as natural pictures vary.

    The spectrum of natural pictures falls with frequency (Field 1987) and colours vary less than brightness.
    L-BFGS learns that evaluation by evaluation, and forgets it from scale to scale; here it is the first
    estimate of the inverse Hessian (Nocedal & Wright 2006, algorithm 7.4, H0).
    """

    phrase = "preconditioned L-BFGS with a strong Wolfe line search"
    papers = ("liu1989",)
    needs_name: ClassVar[bool] = True

    name: Literal["preconditioned_lbfgs"] = "preconditioned_lbfgs"

    @override
    def begin(self, start: Tensor, bounds: PixelBounds | None, *, noisy: bool) -> LbfgsBatch:
        return LbfgsBatch(start, self, NaturalPreconditioner(start))


class NaturalPreconditioner:
    """Multiplies pictures by a symmetric, positive matrix that is large where natural pictures vary.

    A frequency of f cycles a picture is divided by the root of f, and brightness, the mean of the channels,
    multiplied by 4. `pictures` are images x channels x height x width; only their shape and place count.
    """

    def __init__(self, pictures: Tensor) -> None:
        self._shape = pictures.shape[1:]
        height, width = self._shape[-2:]
        side = max(height, width)
        rows, columns = np.fft.fftfreq(height, 1 / side)[:, None], np.fft.rfftfreq(width, 1 / side)
        # The mean of a picture is treated as its lowest frequency.
        factors = np.hypot(rows, columns).clip(min=1.0) ** -EXPONENT
        # On average 1, so that the first step, without any curvature, is as long as that of plain L-BFGS.
        numbers = torch.from_numpy(factors / factors.mean())
        self._factors = send_tensor(numbers, pictures.device, pictures.dtype).unsqueeze(-1)

    def __call__(self, vectors: Tensor) -> Tensor:
        """Return the products for vectors, images x numbers, in their shape."""
        pictures = vectors.reshape(-1, *self._shape)
        # Real and imaginary parts one by one, because a complex product is rounded in another way where an
        # array ends.
        parts = torch.view_as_real(torch.fft.rfft2(pictures)) * self._factors
        filtered = invert_real_spectra(torch.view_as_complex(parts), self._shape[-2:])
        found: Tensor = filtered + (BRIGHTNESS - 1.0) * filtered.mean(1, keepdim=True)
        return found.reshape(vectors.shape)
