"""Defines how a stimulus is optimised: a protocol's ``synthesis``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Discriminator, Field, Tag, model_validator

from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Model, validation_error
from stimgen.synthesis.optimisers import AnyOptimiser, find_optimisers
from stimgen.synthesis.optimisers.lbfgs import Lbfgs
from stimgen.synthesis.ranges import AnyPixelConstraint
from stimgen.synthesis.ranges.soft import SoftPenalty
from stimgen.synthesis.source_blend import Unmatched
from stimgen.synthesis.starts import AnyStart
from stimgen.synthesis.starts.noise import NormalNoise

COARSEST_SIDE = 64  # pixels; `scales: auto` goes no coarser
PRECISE_FRACTION = 0.25  # of the finest scale's evaluations, in mixed precision

Evaluations = Annotated[Integer, Field(ge=1, le=1_000_000)]


@dataclass(frozen=True)
class Stage:
    """Describes evaluations at one size, in pixels, in one precision of the networks."""

    width: int
    height: int
    evaluations: int
    dtype: torch.dtype


class SynthesisSettings(Model):
    """Describes how a stimulus is optimised."""

    scales: Annotated[
        Annotated[Literal["auto"], Tag("word")]
        | Annotated[Annotated[Integer, Field(ge=1, le=8)], Tag("number")],
        Discriminator(lambda value: "word" if isinstance(value, str) else "number"),
    ] = "auto"
    """Number of scales, from coarse to fine, each half the side of the next; ``auto``: down to 64 pixels;
    1: single scale."""
    evaluations: Annotated[
        Annotated[Evaluations, Tag("number")]
        | Annotated[tuple[Evaluations, ...], Field(min_length=1, max_length=8), Tag("list")],
        Discriminator(lambda value: "list" if isinstance(value, (list, tuple)) else "number"),
    ] = 100
    """Evaluations of the objective at each scale: one number, or a list from coarse to fine."""
    stop: Literal["evaluations", "plateau"] = "evaluations"
    """When a picture is done with a scale: ``evaluations``, after all of them; ``plateau``, also before, once
    five evaluations changed its pixels by less than 0.5 % of the range (root of the mean of squares)."""
    optimiser: AnyOptimiser = Field(default_factory=Lbfgs)
    """What lowers the objective."""
    start: AnyStart = Field(default_factory=NormalNoise)
    """What it begins with."""
    range: AnyPixelConstraint = Field(default_factory=SoftPenalty)
    """How pixels are kept between black and white."""
    unmatched: Unmatched = "start"
    """What stays where no pooling region measures anything, such as the fovea of polar regions with ``compat:
    true``. ``start``: what it began with, usually noise; ``source``: the source, with a hard border;
    ``blend``: the source, mixed in as the weights of the regions fall, as in the code of Freeman & Simoncelli
    (2011)."""
    precision: Literal["float32", "mixed"] = "float32"
    """``float32``, or ``mixed``: the networks compute in bfloat16, except in the last evaluations of the
    finest scale; about twice as fast on processors that know bfloat16."""

    @model_validator(mode="after")
    def _check_bounds(self) -> SynthesisSettings:
        if self.range.bounded and not self.optimiser.keeps_bounds:
            raise validation_error(
                f"the range {self.range.name!r} needs an optimiser that keeps bounds; "
                f"{self.optimiser.name!r} keeps none",
                allowed=find_optimisers("keeps_bounds"),
                at="range",
            )
        return self

    @model_validator(mode="after")
    def _check_stop(self) -> SynthesisSettings:
        if self.stop == "plateau" and not self.optimiser.finds_steps:
            raise validation_error(
                f"`stop: plateau` needs an optimiser that finds the length of its steps; those of "
                f"{self.optimiser.name!r} are short by its settings",
                allowed=find_optimisers("finds_steps"),
                at="stop",
            )
        return self

    @property
    def dtypes(self) -> tuple[torch.dtype, ...]:
        """Return what the networks compute in, in the order of first use."""
        return (torch.bfloat16, torch.float32) if self.precision == "mixed" else (torch.float32,)

    def recipe(self) -> dict[str, Any]:
        """Return the settings for identities; what older ones do not have is there only if it is set."""
        settings = self.to_dict()
        for name in ("unmatched", "stop"):
            if settings[name] == type(self).model_fields[name].default:
                del settings[name]
        return settings

    def stages(self, width: int, height: int) -> list[Stage]:
        """Return the stages from coarse to fine: one for each scale and precision; raises as `schedule`."""
        found = []
        for w, h, count in self.schedule(width, height):
            precise = count
            if self.precision == "mixed":
                precise = math.ceil(PRECISE_FRACTION * count) if (w, h) == (width, height) else 0
            found += [Stage(w, h, count - precise, torch.bfloat16), Stage(w, h, precise, torch.float32)]
        return [stage for stage in found if stage.evaluations > 0]

    def schedule(self, width: int, height: int) -> list[tuple[int, int, int]]:
        """Return width, height and evaluations of every scale, from coarse to fine.

        Raises `StimgenError` if the number of evaluations listed is not the number of scales.
        """
        sizes, scales = [(width, height)], self.scales
        while len(sizes) < scales if isinstance(scales, int) else min(sizes[0]) / 2 >= COARSEST_SIDE:
            sizes.insert(0, (max(1, round(sizes[0][0] / 2)), max(1, round(sizes[0][1] / 2))))
        given = self.evaluations
        counts = given if isinstance(given, tuple) else (given,) * len(sizes)
        if len(counts) != len(sizes):
            raise StimgenError(
                f"`evaluations` lists {len(counts)} numbers, but a picture of {width} x {height} pixels has "
                f"{len(sizes)} scales"
            )
        return [(w, h, count) for (w, h), count in zip(sizes, counts, strict=True)]
