"""Builds masks: what covers every picture, and the seeds that it is drawn with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stimgen.experiment.design.trial import SYNTHESIS, Box, MaskPatch, ShownPicture
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.experiment.schema.masks import Mask, MaskSide, TextureMask
from stimgen.experiment.schema.stimuli import CropSettings
from stimgen.experiment.trials.crops import draw_boxes
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream, random_words


@dataclass(frozen=True)
class MaskBuilder:
    """Builds the masks of a trial."""

    pool: PicturePool
    crop: CropSettings | None
    """The part of the pictures that is shown."""
    key: tuple[str | int, ...]
    """Key of the trial's random numbers, which nothing else uses."""
    shown_ids: frozenset[str | None]
    """Stimuli of the trial, which do not mask each other."""

    def build(
        self, mask: Mask, covered: Sequence[ShownPicture], side: MaskSide, interval: int
    ) -> tuple[MaskPatch, ...]:
        """Return what covers the pictures of an interval, in their order."""
        found = []
        for number, picture in enumerate(covered):
            key = (*self.key, side, interval, number)
            seen = picture
            if mask.name == "texture":
                seen = self._choose_texture(mask, picture, RandomStream(*key))
            grain = mask.grain if mask.name == "noise" else None
            seed = int(random_words(1, *key, "seed")[0]) >> 11
            found.append(MaskPatch(kind=mask.name, picture=seen, seed=seed, grain=grain))
        return tuple(found)

    def _choose_texture(self, mask: TextureMask, covered: ShownPicture, stream: RandomStream) -> ShownPicture:
        """Return a stimulus of the mask's condition at the place of the covered picture."""
        source = covered.source
        if mask.source == "other":
            source = stream.choice(list_other_sources(self.pool, source))
        seeds = self.pool.seeds(source, mask.condition)
        pictures = [self.pool.synthesis(source, mask.condition, seed) for seed in seeds]
        left = [one for one in pictures if one.id not in self.shown_ids]
        if not left:
            raise StimgenError(
                f"all stimuli of source {source!r} in condition {mask.condition!r} are in one trial, so that "
                "none is left to mask them"
            )
        picture = stream.choice(left)
        changes = {
            "set": picture.set,
            "id": picture.id,
            "file": picture.file,
            "sha256": picture.sha256,
            "role": SYNTHESIS,
            "condition": mask.condition,
            "source": picture.source,
            "seed": picture.seed,
            "crop": self._draw_crop(covered, (picture.width, picture.height), stream),
            "encoding": picture.encoding,
        }
        return covered.model_copy(update=changes)

    def _draw_crop(self, covered: ShownPicture, area: tuple[int, int], stream: RandomStream) -> Box:
        if self.crop is None or self.crop.place != "random":
            return covered.crop
        return draw_boxes(1, covered.crop[2:], area, stream)[0]


def list_other_sources(pool: PicturePool, source: str) -> list[str]:
    """Return the sources that may mask a source: those of the main trials, or else of practice."""
    return [one for one in pool.sources if one != source] or [
        one for one in pool.practice_sources if one != source
    ]
