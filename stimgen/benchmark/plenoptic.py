"""What a user of plenoptic would run: a Portilla-Simoncelli metamer, coarse to fine (plenoptic 2)."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any

import torch

from stimgen.benchmark.subject import BenchmarkSubject
from stimgen.benchmark.timing import synchronise
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import uniform
from stimgen.synthesis.plenoptic_model import import_plenoptic

OPTION = "`--against plenoptic`"
# Below this side the coarsest of the model's four scales is narrower than its correlations, seven positions.
SMALLEST_SIZE = 128
ITERATIONS = 200
# As in the example of plenoptic's MetamerCTF: so many iterations a scale, whatever the loss does.
ITERATIONS_A_SCALE = 7


def require_plenoptic(size: int) -> ModuleType:
    """Return the package.

    Parameters
    ----------
    size : int
        Side of the picture that is to be made.

    Raises
    ------
    StimgenError
        It is not installed, older than version 2, or the picture is too small for it.
    """
    package = import_plenoptic(OPTION)
    if size < SMALLEST_SIZE:
        raise StimgenError(f"{OPTION} needs a `--size` of {SMALLEST_SIZE} or more, not {size}")
    return package


def metamer(subject: BenchmarkSubject, iterations: int) -> dict[str, Any]:
    """Make one grey metamer and return ``seconds``, ``iterations`` and plenoptic's own ``loss``.

    Checking the model, which plenoptic does before it begins, is not timed.
    """
    plenoptic = require_plenoptic(subject.size)
    image = torch.from_numpy(subject.source.transpose(2, 0, 1).copy()).unsqueeze(0).to(subject.device)
    model = plenoptic.models.PortillaSimoncelli(image.shape[-2:]).to(subject.device)
    made = plenoptic.MetamerCTF(image, model, loss_function=plenoptic.loss.l2_norm)
    noise = torch.from_numpy(uniform(image.numel(), "plenoptic start")).to(image).view_as(image)
    began = time.perf_counter()
    made.setup((noise - 0.5) * 0.1 + image.mean())
    made.synthesize(iterations, change_scale_criterion=None, ctf_iters_to_check=ITERATIONS_A_SCALE)
    synchronise(subject.device)
    return {
        "size": subject.size,
        "seconds": time.perf_counter() - began,
        "iterations": len(made.losses) - 1,
        "loss": float(made.losses[-1]),
    }
