"""How long synthesis takes, and how its pictures look to a judge: plain L-BFGS with all evaluations, beside
preconditioned L-BFGS that stops at a plateau, in float32 and in mixed precision, and beside few evaluations
of whitened Gram matrices (not with trained features) and of layers that count less the deeper they are (VGG).

Run it to get the table and the picture of docs/performance.md:
python tests/reference/schedules.py SQUEEZENET VGG16 [--models ...] [--schedules ...] [--seeds 2]

The schedules take turns, picture by picture. Seconds are those that the processor computed (run it with
OMP_NUM_THREADS=1), so that other programs do not count. Pictures are those that were held back when
everything was chosen, except for the limit of the plateau.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from looks import Judge, Picture, held_back, join_pictures, say, trained_term

from stimgen.reading.generators import run_generator
from stimgen.statistics.whitened_gram import WhitenedGram
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch, SynthesisItem
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.term import Term

FEW = "few"
SCHEDULES = {
    "all": SynthesisSettings(),
    "plateau": SynthesisSettings(optimiser="preconditioned_lbfgs", stop="plateau"),
    "plateau, mixed": SynthesisSettings(optimiser="preconditioned_lbfgs", stop="plateau", precision="mixed"),
    FEW: SynthesisSettings(optimiser="preconditioned_lbfgs", precision="mixed"),
}
# Evaluations of `FEW`, at the coarse scales and at the finest.
COARSE, FINEST = 60, 30
TERMS = {
    "embedded, scale3": Term(network="embedded", depth="scale3"),
    "embedded, scale4": Term(network="embedded", depth="scale4"),
    "embedded, scale3, 4x4": Term(network="embedded", depth="scale3", regions="4x4"),
    "vgg19 random, pool3": Term(network="vgg19", depth="pool3"),
}
TRAINED = "vgg16 trained, pool4"
# With `FEW`, a layer of VGG counts so much of the one before it.
FALL = 0.3


@dataclass
class Side:
    """Collects what one schedule made of all pictures."""

    scores: list[float] = field(default_factory=list)
    seconds: float = 0.0
    evaluations: list[int] = field(default_factory=list)
    """Of each picture, at the finest scale."""

    @property
    def score(self) -> float:
        return float(np.mean(self.scores))


def synthesise(
    source: Picture, term: Term, schedule: SynthesisSettings, seeds: range
) -> tuple[list[Picture], list[int]]:
    """Return a texture for every seed, and each one's evaluations at the finest scale."""
    method = ObjectiveMethod(terms=(term,), synthesis=schedule)
    items = [
        SynthesisItem(source, schedule.start.pixels(source.shape, ("s", seed), None), "s", ("s", seed))
        for seed in seeds
    ]
    found = run_generator(method.run(SynthesisBatch(items, max(2, len(items))), torch.device("cpu")))
    finest = [sum(entry.scale == trace[-1].scale for entry in trace) for trace in found.traces]
    return found.images, finest


def adapt_to_few(name: str, term: Term, size: int, finest: int = FINEST) -> tuple[Term, SynthesisSettings]:
    """Return what makes a good texture of few evaluations, and their numbers at the scales of a size."""
    settings = SCHEDULES[FEW]
    scales = len(settings.schedule(size, size))
    settings = settings.replace(evaluations=(*[COARSE] * (scales - 1), finest))
    if name != TRAINED:
        term = term.replace(statistic=WhitenedGram())
    if not name.startswith("vgg"):
        return term, settings
    weights = [FALL**i for i in range(len(term.layer_weights))]
    layers = {layer: weight / sum(weights) for layer, weight in zip(term.layer_weights, weights, strict=True)}
    return term.replace(depth=None, layers=layers), settings


def compare(
    ways: dict[str, tuple[Term, SynthesisSettings]],
    pictures: dict[str, Picture],
    judge: Judge,
    seeds: range,
) -> tuple[dict[str, Side], list[Picture]]:
    """Return all sides, and for every picture the source and the first texture of each side."""
    sides, shown = {name: Side() for name in ways}, []
    for source in pictures.values():
        shown.append(source)
        for name, (term, schedule) in ways.items():
            began = time.process_time()
            images, evaluations = synthesise(source, term, schedule, seeds)
            sides[name].seconds += time.process_time() - began
            sides[name].scores += [judge(image, source) for image in images]
            sides[name].evaluations += evaluations
            shown.append(images[0])
    return sides, shown


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("squeezenet", type=Path, help="weights of the judge")
    parser.add_argument("vgg16", type=Path, help="trained weights of Simonyan & Zisserman's VGG-16")
    parser.add_argument("--models", nargs="+", choices=[*TERMS, TRAINED], default=[*TERMS, TRAINED])
    parser.add_argument("--schedules", nargs="+", choices=SCHEDULES, default=[*SCHEDULES])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument(
        "--finest", type=int, default=FINEST, help=f"evaluations of `{FEW}` at the finest scale"
    )
    parser.add_argument("--pictures", nargs="+", help="only these")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    judge, pictures = Judge(options.squeezenet), held_back(options.size)
    chosen = {name: pictures[name] for name in options.pictures or pictures}
    terms = {**TERMS, TRAINED: trained_term(options.vgg16)}
    say(f"{', '.join(chosen)}, {options.seeds} seeds, {options.size} px")
    say("| model | " + " | ".join(f"{name}: score; core s; evaluations" for name in options.schedules) + " |")
    say("|---" * (1 + len(options.schedules)) + "|")
    for name in options.models:
        few = adapt_to_few(name, terms[name], options.size, options.finest)
        ways = {way: few if way == FEW else (terms[name], SCHEDULES[way]) for way in options.schedules}
        sides, shown = compare(ways, chosen, judge, range(1, options.seeds + 1))
        usual = sides[options.schedules[0]].seconds
        cells = [
            f"{side.score:.3f}; {side.seconds:.0f}, {usual / side.seconds:.2f} times as fast; "
            f"{min(side.evaluations)}-{max(side.evaluations)}"
            for side in sides.values()
        ]
        say(f"| {name} | {' | '.join(cells)} |")
        if options.sheet:
            file = options.sheet.with_stem(
                f"{options.sheet.stem}-{name.replace(', ', '-').replace(' ', '-')}"
            )
            row = 1 + len(ways)
            rows = [dict(enumerate(shown[i : i + row])) for i in range(0, len(shown), row)]
            join_pictures(rows).save(file)


if __name__ == "__main__":
    main()
