"""Provides what benchmarks make: the quick start's texture, of a photograph that everybody has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from stimgen.execution.slots import MIN_SLOTS
from stimgen.images.prepare import Pixels, Preparation
from stimgen.images.read import ImageFile, find_skimage_file, read_image_file
from stimgen.protocol.load import load_protocol
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch, SynthesisItem
from stimgen.synthesis.settings import SynthesisSettings

PHOTOGRAPH = "coffee"
MAX_SIZE = 400  # the photograph's shorter side, in pixels
PROTOCOL, CONDITION = "quickstart", "texture"


@dataclass(frozen=True)
class BenchmarkSubject:
    """Represents a prepared photograph of `size` pixels on either side, and the device to compute on."""

    size: int
    device: torch.device
    grey: bool = False

    @cached_property
    def _file(self) -> ImageFile:
        return read_image_file(find_skimage_file(PHOTOGRAPH))

    @cached_property
    def source(self) -> Pixels:
        """Return the centre square of the photograph: size x size x channels, range [0, 1]."""
        return Preparation(size=self.size, channels="grey" if self.grey else "colour").prepare(self._file)

    def batch(self, method: ObjectiveMethod, stimuli: int) -> SynthesisBatch:
        """Return a batch as `stimgen generate` makes it: stimuli of one source with seeds from 1."""
        shape = (self.size, self.size, 1 if self.grey else 3)
        keys, start = [(self._file.sha256, seed) for seed in range(1, stimuli + 1)], method.start
        items = [SynthesisItem(self.source, start.pixels(shape, key, None), key[0], key) for key in keys]
        return SynthesisBatch(items, max(MIN_SLOTS, stimuli))


def texture_method(evaluations: int | None = None) -> ObjectiveMethod:
    """Return the quick start's texture with the usual settings, or with so many evaluations at each scale."""
    conditions = load_protocol(PROTOCOL).protocol.conditions
    (method,) = (condition.resolved_method for condition in conditions if condition.id == CONDITION)
    if not isinstance(method, ObjectiveMethod):
        raise TypeError(f"{PROTOCOL} minimises no objective")
    changed = {} if evaluations is None else {"evaluations": evaluations}
    return method.replace(synthesis=SynthesisSettings(**changed))
