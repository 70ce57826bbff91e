"""How good textures look to a network that took no part in making them, and whether they are copies.

Run it to get the tables and the pictures of docs/embedded-default.md:
python tests/reference/looks.py WEIGHTS PEBBLES [--size 128] [--vgg16 FILE] [--sheet FILE]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
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

from stimgen.images.measures.copies import CopyCheck
from stimgen.images.write import quantise
from stimgen.networks.normalisation import DEVIATION, MEAN
from stimgen.reading.generators import run_generator
from stimgen.reading.identity import sha256_file
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch, SynthesisItem
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.term import Term

Picture = NDArray[np.float32]

METHODS = {
    "vgg19 random, pool3": Term(network="vgg19", depth="pool3"),
    "vgg19 random, pool3, uncentred": Term(
        network="vgg19", depth="pool3", statistic={"name": "gram", "centred": False}
    ),
    "rectified_wavelets, scale4": Term(network="rectified_wavelets", depth="scale4"),
    "embedded, scale3": Term(network="embedded", depth="scale3"),
    "embedded, scale4": Term(network="embedded", depth="scale4"),
}


TRAINED = "vgg16 trained, pool4"


def trained_term(weights: Path) -> Term:
    """Return relu1_1 and pool1 to pool4 of a trained VGG-16 with average pooling."""
    file = {"name": "file", "file": str(weights.absolute()), "sha256": sha256_file(weights)}
    return Term(network={"name": "vgg16", "weights": file}, depth="pool4")


class Judge:
    """The trained SqueezeNet 1.0 with average pooling: mean over layers of the relative Gram error."""

    TAPS = (1, 2, 5, 6, 7, 9, 10)  # torchvision's indices: conv1 with its ReLU, pool1, fire4, pool4, ...

    def __init__(self, weights: Path) -> None:
        network = squeezenet1_0()
        network.load_state_dict(load_file(weights))
        self._modules = network.features[: max(self.TAPS) + 1].eval().requires_grad_(False)
        for i, module in enumerate(self._modules):
            if isinstance(module, torch.nn.MaxPool2d):
                self._modules[i] = torch.nn.AvgPool2d(3, 2, ceil_mode=True)

    def __call__(self, picture: Picture, source: Picture) -> float:
        pairs = zip(self._grams(picture), self._grams(source), strict=True)
        return float(np.mean([float((found - wanted).norm() / wanted.norm()) for found, wanted in pairs]))

    def _grams(self, picture: Picture) -> list[Tensor]:
        image = torch.from_numpy(np.clip(picture, 0, 1).transpose(2, 0, 1)).expand(3, -1, -1)[None]
        maps = (image - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)
        found = []
        for i, module in enumerate(self._modules):
            maps = module(maps)
            if i in self.TAPS:
                flat = maps[0].flatten(1)
                found.append(flat @ flat.T / flat.shape[1])
        return found


def copied(picture: Picture, source: Picture) -> float:
    """Return the largest normalised cross-correlation of crops with the source; -1 where there is none."""
    grey, original = (np.clip(p, 0, 1).mean(2).astype(np.float64) for p in (picture, source))
    largest = CopyCheck(original).largest_correlation(grey)
    return largest if np.isfinite(largest) else -1.0


def tried(pebbles: Path, size: int) -> dict[str, Picture]:
    """Return the pictures that the default was chosen with."""
    return {
        "pebbles": _photograph(Image.open(pebbles), size),
        "tissue": _photograph(Image.fromarray(data.immunohistochemistry()), size),
        "cells": _cells(size, 60, seed=3),
        "gravel": _photograph(Image.fromarray(data.gravel()), size),
        "brick": _photograph(Image.fromarray(data.brick()), size),
        "discs": _discs(size, 150, seed=1),
    }


def held_back(size: int) -> dict[str, Picture]:
    """Return the pictures that were looked at when everything had been chosen."""
    return {
        "grass": _photograph(Image.fromarray(data.grass()), size),
        "coins": _photograph(Image.fromarray(data.coins()), size),
        "hubble": _photograph(Image.fromarray(data.hubble_deep_field()), size),
        "coffee": _photograph(Image.fromarray(data.coffee()), size),
        "chelsea": _photograph(Image.fromarray(data.chelsea()), size),
        "bars": _bars(size, 400, seed=5),
    }


def textures(pictures: dict[str, Picture], term: Term, evaluations: int = 100) -> dict[str, Picture]:
    """Return a texture of every picture, seed 1."""
    synthesis = SynthesisSettings(evaluations=evaluations)
    method = ObjectiveMethod(terms=(term,), synthesis=synthesis)
    found: dict[str, Picture] = {}
    for channels in {picture.shape[2] for picture in pictures.values()}:
        items = [
            SynthesisItem(picture, synthesis.start.pixels(picture.shape, (name, 1), None), name, (name, 1))
            for name, picture in pictures.items()
            if picture.shape[2] == channels
        ]
        images = run_generator(
            method.run(SynthesisBatch(items, max(2, len(items))), torch.device("cpu"))
        ).images
        found |= {item.source_key: image for item, image in zip(items, images, strict=True)}
    return {name: found[name] for name in pictures}


def _photograph(image: Image.Image, size: int) -> Picture:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return _picture(image.crop((left, top, left + side, top + side)), size)


def _picture(image: Image.Image, size: int) -> Picture:
    values = np.asarray(image.resize((size, size), Image.Resampling.LANCZOS), np.float32) / 255
    return values if values.ndim == 3 else values[..., None]


def _cells(size: int, count: int, seed: int) -> Picture:
    generator = np.random.default_rng(seed)
    side = 2 * size
    points, colours = generator.random((count, 2)) * side, generator.random((count, 3)) * 0.8 + 0.1
    y, x = np.mgrid[:side, :side] + 0.5
    distances = np.stack([np.hypot(x - a, y - b) for a, b in points])
    nearest, second = np.partition(distances, 1, axis=0)[:2]
    edges = np.clip((second - nearest) / 6, 0, 1)[..., None]
    image = colours[distances.argmin(0)] * edges
    return _picture(Image.fromarray((255 * image).astype(np.uint8)), size)


def _discs(size: int, count: int, seed: int) -> Picture:
    generator = np.random.default_rng(seed)
    side = 4 * size
    image = np.full((side, side), 0.35)
    y, x = np.mgrid[:side, :side]
    for _ in range(count):
        a, b = generator.random(2) * side
        radius, level = side * (0.02 + 0.05 * generator.random()), generator.random()
        image[np.hypot(x - a, y - b) < radius] = level
    return _picture(Image.fromarray((255 * image).astype(np.uint8)), size)


def _bars(size: int, count: int, seed: int) -> Picture:
    generator = np.random.default_rng(seed)
    side = 2 * size
    image = np.full((side, side, 3), 0.5)
    y, x = np.mgrid[:side, :side]
    for _ in range(count):
        (a, b), angle = generator.random(2) * side, generator.normal(0.8, 0.3)
        along, across = (
            ((x - a) * np.cos(angle) + (y - b) * np.sin(angle)),
            ((y - b) * np.cos(angle) - (x - a) * np.sin(angle)),
        )
        image[(np.abs(along) < side / 16) & (np.abs(across) < side / 100)] = generator.random(3)
    return _picture(Image.fromarray((255 * image).astype(np.uint8)), size)


def join_pictures(rows: Sequence[Mapping[Any, Picture]]) -> Image.Image:
    """Return rows of pictures as one."""
    coloured = [[np.repeat(p, 4 - p.shape[2], 2)[..., :3] for p in row.values()] for row in rows]
    return Image.fromarray(quantise(np.concatenate([np.concatenate(row, axis=1) for row in coloured])))


def say(line: str) -> None:
    """Print a line at once: the next may take a minute."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("pebbles", type=Path)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--vgg16", type=Path, help="trained weights, for one more row")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    methods = {name: METHODS[name] for name in options.methods}
    if options.vgg16:
        methods[TRAINED] = trained_term(options.vgg16)
    judge = Judge(options.weights)
    for label, pictures in {
        "tried": tried(options.pebbles, options.size),
        "held back": held_back(options.size),
    }.items():
        say(f"| {label}, {options.size} px | {' | '.join(pictures)} | mean | largest copy |")
        say("|---" * (len(pictures) + 3) + "|")
        rows = [pictures]
        for name, term in methods.items():
            made = textures(pictures, term)
            rows.append(made)
            scores = [judge(made[key], source) for key, source in pictures.items()]
            copies = max(copied(made[key], source) for key, source in pictures.items())
            cells = " | ".join(f"{score:.3f}" for score in [*scores, np.mean(scores)])
            say(f"| {name} | {cells} | {copies:.2f} |")
        if options.sheet:
            join_pictures(rows).save(
                options.sheet.with_stem(f"{options.sheet.stem}-{label.replace(' ', '-')}")
            )


if __name__ == "__main__":
    main()
