"""Renders trials: every phase as the pixels of the whole screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from stimgen.experiment.design.trial import Box, Phase, Trial
from stimgen.experiment.frames.cue_marks import cue_box, draw_cue_mark
from stimgen.experiment.frames.frame import DARK, ByteImage, Frame
from stimgen.experiment.frames.overlays import Coverage, fixation_diameter, fixation_mark, photodiode_box
from stimgen.experiment.frames.patches import PatchRenderer, PixelSource
from stimgen.experiment.frames.placing import box_on_screen
from stimgen.experiment.frames.slider import find_ends, find_line, find_mark
from stimgen.experiment.schema.display import FixationMark
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.viewing import ViewingGeometry

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
Colour = tuple[int, int, int]


class FrameLayer(NamedTuple):
    """Represents something that is painted on a frame."""

    box: Box
    pixels: ByteImage
    """Of the box, or one colour."""
    where: Coverage | None = None
    """Where the layer covers what is below; None for everywhere."""


@dataclass
class FrameRenderer:
    """Renders trials as frames; the same trial always gives the same pixels."""

    experiment: Experiment
    pool: PixelSource
    viewing: ViewingGeometry

    def render_trial(self, trial: Trial) -> list[Frame]:
        """Return one frame for each phase of a trial.

        Raises `StimgenError` if a picture is missing or was changed.
        """
        return [self._render_phase(trial, phase) for phase in trial.phases]

    def render_fixation(self) -> Frame:
        """Return the frame that is shown while an answer is awaited: fixation alone."""
        return self._paint([], BLACK, _grey_colour(self.experiment.display.fixation.value))

    def render_feedback(self, *, correct: bool) -> Frame:
        """Return the frame whose fixation mark has the colour of a correct or a wrong answer.

        Without a fixation mark, a dot of 0.2 degrees has the colour.
        """
        colours, mark = self.experiment.feedback, self.experiment.display.fixation
        shown = FixationMark() if mark.shape == "none" else mark
        return self._paint([], BLACK, colours.correct if correct else colours.wrong, shown)

    @cached_property
    def patches(self) -> PatchRenderer:
        """Return what draws pictures and masks."""
        return PatchRenderer(self.experiment, self.pool)

    def render_question(self, *, slider: bool, value: int | None = None) -> Frame:
        """Return what is behind the texts of a question: nothing, or a slider with its mark at a value."""
        size, colour = self.viewing.resolution, WHITE if self.background[0] < DARK else BLACK
        boxes = [find_line(size), *find_ends(size)] if slider else []
        boxes += [find_mark(size, value)] if slider and value is not None else []
        return self._paint([FrameLayer(box, np.array(colour, np.uint8)) for box in boxes], BLACK, None)

    @property
    def background(self) -> Colour:
        """Return the background's red, green and blue."""
        return _grey_colour(self.experiment.display.background)

    def _render_phase(self, trial: Trial, phase: Phase) -> Frame:
        patches, viewing = self.patches, self.viewing
        layers = [
            FrameLayer(box_on_screen(viewing, shown), patches.find_picture(shown)) for shown in phase.shown
        ]
        for number, box in enumerate(phase.mask):
            pixels = patches.draw_square_mask(box, trial.index, phase.interval or 0, number)
            layers.append(FrameLayer(box, pixels))
        for cover in phase.covers:
            layers.append(FrameLayer(box_on_screen(viewing, cover.picture), patches.draw_cover(cover)))
        layers += self._list_cues(phase)
        photodiode = WHITE if phase.kind == "stimulus" else BLACK
        return self._paint(layers, photodiode, _grey_colour(self.experiment.display.fixation.value))

    def _list_cues(self, phase: Phase) -> Iterator[FrameLayer]:
        cue = self.experiment.timing.cue
        colour = np.array(_grey_colour(cue.value if cue is not None else 0.0), np.uint8)
        for mark in phase.cues:
            covered = draw_cue_mark(mark, self.viewing.resolution)
            yield FrameLayer(cue_box(mark, self.viewing.resolution), colour, covered)

    def _paint(
        self,
        layers: list[FrameLayer],
        photodiode: Colour,
        fixation: Colour | None,
        mark: FixationMark | None = None,
    ) -> Frame:
        """Return the smallest frame that holds all layers, the photodiode's patch and a fixation mark.

        `mark` replaces the experiment's own mark.
        """
        mark = mark or self.experiment.display.fixation
        layers = [*layers, *self._list_marks(photodiode, fixation, mark)]
        if not layers:
            return Frame.blank(self.viewing.resolution, self.background)
        left, top = min(layer.box[0] for layer in layers), min(layer.box[1] for layer in layers)
        right = max(layer.box[0] + layer.box[2] for layer in layers)
        bottom = max(layer.box[1] + layer.box[3] for layer in layers)
        # The background is grey: filling with one number is faster than with three.
        pixels = np.full((bottom - top, right - left, 3), self.background[0], np.uint8)
        for layer in layers:
            x, y, width, height = layer.box
            part = pixels[y - top : y - top + height, x - left : x - left + width]
            where = True if layer.where is None else layer.where[:, :, np.newaxis]
            np.copyto(part, layer.pixels, where=where)
        return Frame(self.viewing.resolution, self.background, left, top, pixels)

    def _list_marks(
        self, photodiode: Colour, fixation: Colour | None, mark: FixationMark
    ) -> Iterator[FrameLayer]:
        display, resolution = self.experiment.display, self.viewing.resolution
        if display.photodiode is not None:
            yield FrameLayer(photodiode_box(display.photodiode, resolution), np.array(photodiode, np.uint8))
        diameter = fixation_diameter(mark, self.viewing.pixels_wide(mark.degrees), resolution)
        if diameter > 0 and fixation is not None:
            left, top = ((side - diameter) // 2 for side in resolution)
            covered = fixation_mark(mark.shape, diameter)
            yield FrameLayer((left, top, diameter, diameter), np.array(fixation, np.uint8), covered)


def _grey_colour(value: float) -> Colour:
    return (round(value * 255),) * 3
