"""A real texture: no worse a loss than scipy's L-BFGS-B in the same number of evaluations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import optimize

from stimgen.images.prepare import Preparation
from stimgen.images.read import find_skimage_file, read_image_file
from stimgen.reading.generators import run_generator
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.objective import Objective
from stimgen.synthesis.optimisers.lbfgs import Lbfgs
from stimgen.synthesis.ranges.soft import SoftPenalty
from stimgen.synthesis.starts.noise import NormalNoise
from stimgen.synthesis.term import Term

SIDE, EVALUATIONS = 24, 60


def final_losses(objective: Objective, start: torch.Tensor) -> np.ndarray:
    images = run_generator(Lbfgs().minimise(objective, start, EVALUATIONS)).images
    return objective.measure(images, torch.arange(len(start))).sum(1).numpy()


def scipy_loss(objective: Objective, start: torch.Tensor, row: int) -> float:
    """Minimise one image; it is evaluated twice at once, as a lone image always is."""
    rows = torch.tensor([row, row])

    def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
        image = torch.from_numpy(flat.reshape(1, 3, SIDE, SIDE)).float().repeat(2, 1, 1, 1)
        found = objective(image, rows)
        return found.parts[0].sum().item(), found.gradient[0].double().numpy().ravel()

    options = {"maxfun": EVALUATIONS, "maxiter": 10**6, "maxcor": 20, "ftol": 0, "gtol": 0}
    begin = start[row].double().numpy().ravel()
    return float(optimize.minimize(value, begin, jac=True, method="L-BFGS-B", options=options).fun)


@pytest.mark.parametrize("name", ["coffee", pytest.param("chelsea", marks=pytest.mark.long)])
def test_a_texture_is_matched_as_well_as_scipy_does(name: str) -> None:
    file = read_image_file(find_skimage_file(name))
    source = Preparation(size=SIDE).prepare(file)
    images = torch.from_numpy(source.transpose(2, 0, 1).copy()).repeat(2, 1, 1, 1)
    objective = Objective(
        [Term(network="vgg19", depth="pool2")],
        SoftPenalty(),
        BatchSources(images, torch.tensor([0, 0, 0, 0])),
    )
    starts = [NormalNoise().pixels((SIDE, SIDE, 3), (file.sha256, seed), None) for seed in range(4)]
    start = torch.from_numpy(np.stack(starts).transpose(0, 3, 1, 2).copy())
    ours = final_losses(objective, start)
    theirs = np.array([scipy_loss(objective, start, row) for row in range(4)])
    # Two courses of a chaotic descent: compared by their geometric means, with a tenth of leeway.
    assert np.log(ours).mean() < np.log(theirs).mean() + 0.1
