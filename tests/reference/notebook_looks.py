"""How long the notebook's way takes to look as good as a texture of few evaluations, with trained features.

Run it on an idle machine to get the figures of docs/performance.md:
python tests/reference/notebook_looks.py SQUEEZENET VGG16 [--size 256] [--evaluations 500] [--sheet FILE]

The notebook's way: torch's L-BFGS with its own defaults from uniform noise, one scale, one picture, maximum
pooling, squared errors of conv1_1 and pool1 to pool4 over 4 N^2 M^2, equal weights. Its loss is evaluated by
stimgen here, which takes about half of the time that the notebook takes for it. A trained SqueezeNet judges.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from looks import Judge, Picture, held_back, join_pictures, say, trained_term
from schedules import COARSE, FINEST, TRAINED, adapt_to_few, synthesise

from stimgen.statistics.gram import Gram
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.objective import Objective
from stimgen.synthesis.ranges.free import Unconstrained
from stimgen.synthesis.tensors import stack_pictures
from stimgen.synthesis.term import Term

WEIGHT = 1e9
EVERY = 20  # torch's inner iterations of a step
# Evaluations at every coarse scale, and at the finest.
SCHEDULES = ((10, 5), (COARSE, FINEST))
PICTURES = ("coffee", "hubble")


class _EnoughError(Exception):
    """Ends torch's L-BFGS between two of its inner iterations."""


def notebook_term(term: Term) -> Term:
    """Return what the notebook compares: maximum pooling and the papers' normalisation."""
    network = term.network.replace(pooling="maximum")
    layers = dict.fromkeys(("conv1_1", "pool1", "pool2", "pool3", "pool4"), WEIGHT)
    return Term(network=network, layers=layers, statistic=Gram(normalisation="gatys2016"))


def synthesise_as_notebook(
    source: Picture, term: Term, evaluations: int, judge: Judge
) -> tuple[list[tuple[int, float, float]], Picture]:
    """Return evaluations, seconds and score after every step of torch's L-BFGS, and the last picture."""
    device = torch.device("cpu")
    sources = BatchSources(stack_pictures([source] * 2, device), torch.tensor([0, 0]), (("s", 1), ("s", 1)))
    objective = Objective([notebook_term(term)], Unconstrained(), sources)
    generator = torch.Generator().manual_seed(1)
    image = torch.rand((1, source.shape[2], *source.shape[:2]), generator=generator).requires_grad_(True)
    optimiser = torch.optim.LBFGS([image], line_search_fn="strong_wolfe")
    seconds, done, course = 0.0, 0, list[tuple[int, float, float]]()

    def closure() -> float:
        nonlocal seconds, done
        if done == evaluations:
            raise _EnoughError
        found = objective(image.detach().repeat(2, 1, 1, 1), torch.tensor([0, 1]))
        image.grad = found.gradient[:1].contiguous()
        done += 1
        return float(found.parts[0].sum())

    picture = source
    try:
        while True:
            began = time.perf_counter()
            optimiser.step(closure)  # type: ignore[no-untyped-call]  # torch gives it no types
            seconds += time.perf_counter() - began
            picture = image.detach()[0].permute(1, 2, 0).clamp(0, 1).numpy()
            course.append((done, seconds, judge(picture, source)))
    except _EnoughError:
        return course, picture


def main() -> None:
    """Print the scores of both sides, and how much sooner stimgen's are as good as the notebook's best."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("squeezenet", type=Path, help="weights of the judge")
    parser.add_argument("vgg16", type=Path, help="trained weights of Simonyan & Zisserman's VGG-16")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--evaluations", type=int, default=500)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    judge, pictures = Judge(options.squeezenet), held_back(options.size)
    few, settings = adapt_to_few(TRAINED, trained_term(options.vgg16), options.size)
    scales = len(settings.schedule(options.size, options.size))
    rows: list[dict[str, Picture]] = []
    for name in PICTURES:
        source = pictures[name]
        synthesise(source, few, settings.replace(evaluations=1), range(1, 3))  # weights are read
        course, theirs = synthesise_as_notebook(source, few, options.evaluations, judge)
        for done, seconds, found in course:
            say(f"{name}, notebook's way, {done} evaluations: {found:.3f} in {seconds:.1f} s")
        _, needed, best = min(course, key=lambda step: step[2])
        for coarse, finest in SCHEDULES:
            chosen = settings.replace(evaluations=(*[coarse] * (scales - 1), finest))
            began = time.perf_counter()
            ours, _ = synthesise(source, few, chosen, range(1, 3))
            each = (time.perf_counter() - began) / len(ours)
            score = max(judge(picture, source) for picture in ours)
            faster = f"{needed / each:.1f} times as fast to its best" if score <= best else "not as good"
            say(f"{name}, stimgen, {coarse} + {finest} evaluations: {score:.3f} in {each:.1f} s, {faster}")
        rows.append({"source": source, "notebook": theirs, "stimgen": ours[0]})
    if options.sheet:
        join_pictures(rows).save(options.sheet)


if __name__ == "__main__":
    main()
