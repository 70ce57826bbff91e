"""Times what a user of plenoptic would run, a Portilla-Simoncelli metamer, beside stimgen's usual texture.

Run it as ``python tests/benchmarks/plenoptic_metamer.py``; it needs ``pip install "stimgen[plenoptic]"``. The
two models differ: seconds are compared, not quality.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import torch

from stimgen.benchmark.machine import describe_machine
from stimgen.benchmark.options import check_range
from stimgen.benchmark.subject import MAX_SIZE, BenchmarkSubject, texture_method
from stimgen.benchmark.texture import time_texture
from stimgen.benchmark.timing import ratio, synchronise
from stimgen.execution.device import find_device
from stimgen.reading.random_numbers import uniform
from stimgen.synthesis.plenoptic_model import import_plenoptic

# Below this side the coarsest of the model's four scales is narrower than its correlations, seven positions.
MIN_SIZE = 128
# As in the example of plenoptic's MetamerCTF: so many iterations a scale, whatever the loss does.
ITERATIONS_A_SCALE = 7


def time_metamer(subject: BenchmarkSubject, iterations: int) -> dict[str, Any]:
    """Make one grey metamer and return ``seconds``, ``iterations`` and plenoptic's own ``loss``.

    Checking the model, which plenoptic does before it begins, is not timed.
    """
    plenoptic = import_plenoptic("plenoptic_metamer.py")
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description="Time a metamer of plenoptic beside a texture of stimgen.")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--size", type=int, default=256, help="side of the picture in pixels")
    parser.add_argument("--iterations", type=int, default=200, help="iterations of plenoptic")
    parser.add_argument("--evaluations", type=int, help="evaluations of stimgen at each scale")
    options = parser.parse_args(arguments)
    check_range("--size", options.size, (MIN_SIZE, MAX_SIZE))
    subject = BenchmarkSubject(options.size, find_device(options.device), grey=True)
    metamer = time_metamer(subject, options.iterations)
    texture = time_texture(texture_method(options.evaluations), subject)
    figures = {
        "machine": describe_machine(subject.device),
        "metamer": metamer,
        "texture": texture,
        "to_texture": ratio(metamer["seconds"], texture["seconds"]),
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
