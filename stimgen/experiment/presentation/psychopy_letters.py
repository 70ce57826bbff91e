"""Draws texts in a PsychoPy window."""

from __future__ import annotations

import sys
from typing import Any

from stimgen.experiment.equipment.psychopy_part import import_psychopy, import_pyglet
from stimgen.experiment.presentation.layout import fit_text
from stimgen.experiment.presentation.screen import TextBox
from stimgen.reading.errors import StimgenError

MEASURING_SIZE = 32.0
"""Size of the letters whose widths are measured, in pixels."""


class TextDrawer:
    """Draws texts in an open window of PsychoPy; every text is laid out once.

    Letters are white or black. Without the name of a font, the usual one of the operating system is used; a
    font that is not installed raises StimgenError.
    """

    def __init__(self, window: Any, font: str | None, *, right_to_left: bool, white: bool) -> None:
        self._window, self._font = window, _find_font(font)
        self._style = "Arabic" if right_to_left else "LTR"
        self._colour = (255,) * 3 if white else (0,) * 3
        self._texts: dict[TextBox, Any] = {}
        self._widths: dict[str, float] = {}

    def load(self, text_box: TextBox) -> None:
        """Lay out a text, which takes longer than a refresh of the screen."""
        if text_box in self._texts:
            return
        left, top, wide, high = text_box.box
        lines, size = fit_text(text_box.text, (wide, high), self._measure_width)
        width, height = self._window.size
        centre = (left + wide / 2 - width / 2, height / 2 - top - high / 2)
        self._texts[text_box] = self._make_text("\n".join(lines), size, centre)

    def draw(self, text_box: TextBox) -> None:
        """Draw a text."""
        self.load(text_box)
        self._texts[text_box].draw()

    def release(self) -> None:
        """Free all texts."""
        self._texts.clear()

    def _measure_width(self, text: str) -> float:
        if text not in self._widths:
            drawn = self._make_text(text, MEASURING_SIZE, (0.0, 0.0)).boundingBox[0] if text else 0.0
            self._widths[text] = drawn / MEASURING_SIZE
        return self._widths[text]

    def _make_text(self, text: str, size: float, centre: tuple[float, float]) -> Any:
        return import_psychopy("visual").TextStim(
            self._window,
            text=text,
            font=self._font,
            pos=centre,
            height=size,
            units="pix",
            color=self._colour,
            colorSpace="rgb255",
            wrapWidth=2 * int(self._window.size[0]),
            languageStyle=self._style,
            autoLog=False,
        )


def _find_font(font: str | None) -> str:
    if font is None:
        return "DejaVu Sans" if sys.platform.startswith("linux") else "Arial"
    if not import_pyglet("font").have_font(font):
        raise StimgenError(f"the font {font!r} is not installed")
    return font
