"""Breaks texts into lines and chooses letter sizes, so that texts fit into boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

MeasureWidth = Callable[[str], float]
"""Returns the width of a piece of text in letters of size 1."""

LINE_HEIGHT = 1.5
"""Distance of lines as a multiple of the letter size; no common font needs more."""
LARGEST, SMALLEST = 32.0, 8.0
"""Limits of the letter size in pixels."""


def break_lines(text: str, width: float, measure: MeasureWidth) -> list[str]:
    """Return the lines of a text, none wider than `width`.

    Line feeds are kept. A word that is too wide is broken between letters, as are scripts without spaces.
    """
    return [line for paragraph in text.split("\n") for line in _break_paragraph(paragraph, width, measure)]


def fit_text(text: str, box: tuple[int, int], measure: MeasureWidth) -> tuple[list[str], float]:
    """Return the lines of a text, and the letter size in pixels at which they fit into a box.

    The text is in logical order. Letters have an eighth of the box's width, or less if the text needs it.
    """
    width, height = box
    longest = max((measure(word) for word in text.split()), default=0.0)
    size = max(SMALLEST, min(width / 8, height / LINE_HEIGHT, LARGEST))
    unbroken = 0.99 * width / longest if longest else size
    # Smaller letters are better than a broken word, but not in scripts without spaces.
    if size / 2 <= unbroken < size:
        size = max(SMALLEST, unbroken)
    while True:
        lines = break_lines(text, width / size, measure)
        if size <= SMALLEST or len(lines) * size * LINE_HEIGHT <= height:
            return lines, size
        size = max(SMALLEST, size * 0.9)


def _break_paragraph(paragraph: str, width: float, measure: MeasureWidth) -> Iterator[str]:
    space, line, used = measure("x x") - measure("xx"), "", 0.0
    for word in paragraph.split():
        wide = measure(word)
        if line and used + space + wide <= width:
            line, used = f"{line} {word}", used + space + wide
            continue
        if line:
            yield line
        *whole, line = _split_word(word, width, measure) if wide > width else [word]
        yield from whole
        used = measure(line)
    yield line


def _split_word(word: str, width: float, measure: MeasureWidth) -> list[str]:
    pieces, used = [""], 0.0
    for letter in word:
        wide = measure(letter)
        if pieces[-1] and used + wide > width:
            pieces.append("")
            used = 0.0
        pieces[-1] += letter
        used += wide
    return pieces
