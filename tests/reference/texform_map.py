"""Where objects stop being recognised: texforms over depth, regions and size, named by a trained network.

Run it to get the table and the picture of docs/texforms.md:
python tests/reference/texform_map.py SQUEEZENET [--size 128] [--depths ...] [--regions ...] [--sheet FILE]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file
from skimage import data
from torch import Tensor
from torchvision.models import squeezenet1_0

import stimgen
from stimgen.images.measures.copies import CopyCheck
from stimgen.images.write import quantise
from stimgen.networks.normalisation import DEVIATION, MEAN

Picture = NDArray[np.float32]

# ImageNet's classes of the same thing at the basic level. Nothing in ImageNet is an astronaut: for eyes only.
CLASSES = {
    "chelsea": range(281, 286),  # five cats
    "coffee": (967, 968, 504),  # espresso, cup, coffee mug
    "rocket": (657, 744, 812),  # missile, projectile, space shuttle
    "camera": (872,),  # tripod
    "astronaut": (),
}
# Fixation to the right of the picture, as in the texforms of Deza et al. (2019).
POLAR = {"name": "polar", "fixation": [1.5, 0.5], "aspect": 1.0, "overlap": 0.5}
REGIONS: dict[str, Any] = {
    **{name: name for name in ("1x1", "2x2", "3x3", "4x4", "6x6")},
    **{f"polar {scaling}": {**POLAR, "scaling": scaling} for scaling in (0.5, 1.0)},
}
DEPTHS = ("scale1", "scale2", "scale3", "scale4")


class Namer:
    """Names pictures with the trained SqueezeNet 1.0, which takes no part in the synthesis."""

    def __init__(self, weights: Path) -> None:
        self._network = squeezenet1_0()
        self._network.load_state_dict(load_file(weights))
        self._network.eval().requires_grad_(False)

    def rate(self, picture: Picture) -> Tensor:
        """Return the probabilities of the 1000 classes."""
        image = torch.from_numpy(np.clip(picture, 0, 1).transpose(2, 0, 1)).expand(3, -1, -1)[None]
        image = torch.nn.functional.interpolate(image, (224, 224), mode="bicubic", antialias=True).clamp(0, 1)
        mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, DEVIATION))
        found: Tensor = self._network((image - mean) / deviation).softmax(1)[0]
        return found


def _read(name: str, size: int) -> Picture:
    image = Image.fromarray(getattr(data, name)())
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    cropped = image.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.LANCZOS)
    return np.atleast_3d(np.asarray(cropped, np.float32) / 255)


def synthesize_texforms(
    source: Picture, settings: dict[str, Any], evaluations: int, seeds: int
) -> list[Picture]:
    """Return texforms of one photograph, one for each seed."""
    made = stimgen.synthesize(
        source, seeds=list(range(1, seeds + 1)), synthesis={"evaluations": evaluations}, **settings
    )
    return list(np.asarray(made.images))


def describe_cell(
    namer: Namer, sources: dict[str, Picture], made: dict[str, list[Picture]]
) -> Iterator[tuple[str, float]]:
    """Yield what a cell of the map says, over all photographs that have a class and all seeds."""
    named = [(name, picture) for name in made if CLASSES[name] for picture in made[name]]
    rated = {name: namer.rate(sources[name]) for name in sources}
    found = [(name, namer.rate(picture)) for name, picture in named]
    for name in made:
        classes = CLASSES[name]
        if classes:
            yield name, float(np.mean([p[list(classes)].sum() for key, p in found if key == name]))
    first = [bool(p.argmax() in CLASSES[name]) for name, p in found]
    yield "top-1", float(np.mean(first))
    kept = [int(rated[name].argmax()) in p.topk(5).indices.tolist() for name, p in found]
    yield "top-5", float(np.mean(kept))
    yield "copy", max(_copied(picture, sources[name]) for name in made for picture in made[name])


def _copied(picture: Picture, source: Picture) -> float:
    grey, original = (np.clip(p, 0, 1).mean(2).astype(np.float64) for p in (picture, source))
    return CopyCheck(original).largest_correlation(grey)


def count_parameters(settings: dict[str, Any], source: Picture) -> float:
    """Return the number of parameters a pixel value."""
    from stimgen.synthesis.methods import ObjectiveMethod
    from stimgen.synthesis.settings import SynthesisSettings
    from stimgen.synthesis.term import Term

    height, width, channels = source.shape
    method = ObjectiveMethod(terms=(Term(**settings),), synthesis=SynthesisSettings())
    return method.count_parameters(width, height, channels) / source.size


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _stack(row: list[Picture]) -> Picture:
    return np.concatenate([np.repeat(p, 4 - p.shape[2], 2)[..., :3] for p in row], axis=1)


def main() -> None:
    """Print the table, and draw the first texform of every photograph in every cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--depths", nargs="+", default=list(DEPTHS))
    parser.add_argument("--regions", nargs="+", choices=REGIONS, default=list(REGIONS))
    parser.add_argument("--photographs", nargs="+", choices=CLASSES, default=list(CLASSES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--evaluations", type=int, default=60)
    parser.add_argument("--sheet", type=Path, help="a folder: one picture for each depth")
    options = parser.parse_args()
    namer = Namer(options.weights)
    sources = {name: _read(name, options.size) for name in options.photographs}
    cells = dict(describe_cell(namer, sources, {name: [source] for name, source in sources.items()}))
    say(f"| {options.size} px | regions | parameters a value | {' | '.join(cells)} |")
    say("|---" * (3 + len(cells)) + "|")
    say(f"| originals | | | {' | '.join(f'{value:.2f}' for value in cells.values())} |")
    for depth in options.depths:
        rows = [_stack(list(sources.values()))]
        for regions in options.regions:
            settings = {"depth": depth, "regions": REGIONS[regions]}
            made = {
                name: synthesize_texforms(source, settings, options.evaluations, options.seeds)
                for name, source in sources.items()
            }
            rows.append(_stack([pictures[0] for pictures in made.values()]))
            ratio = count_parameters({"network": "embedded", **settings}, sources["chelsea"])
            cells = dict(describe_cell(namer, sources, made))
            say(f"| {depth} | {regions} | {ratio:.2f} | {' | '.join(f'{v:.2f}' for v in cells.values())} |")
            if options.sheet:
                options.sheet.mkdir(exist_ok=True)
                place = options.sheet / f"{options.size}-{depth}.png"
                Image.fromarray(quantise(np.concatenate(rows))).save(place)


if __name__ == "__main__":
    main()
