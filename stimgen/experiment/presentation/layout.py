"""Lines and letters: how a text is broken, and how large it can be, to fit into a box."""

from __future__ import annotations

from collections.abc import Callable, Iterator

MeasureWidth = Callable[[str], float]
"""Width of a piece of text, for letters of size 1."""

LINE_HEIGHT = 1.5
"""Distance of lines, in sizes of letters; no usual font asks for more."""


def break_lines(text: str, width: float, measure: MeasureWidth) -> list[str]:
    """Return the lines of a text, none wider than `width`; a word that is wider is broken.

    Line feeds stay. Writing that has no blanks between words is broken between letters.
    """
    return [line for paragraph in text.split("\n") for line in _break_paragraph(paragraph, width, measure)]


def fit_text(text: str, box: tuple[int, int], measure: MeasureWidth) -> tuple[list[str], float]:
    """Return the lines of a text and the size of letters at which they fit into a box.

    Parameters
    ----------
    text : str
        Any language's, as it is read, not as it is written.
    box : tuple of int
        Width and height in pixels.
    measure : callable
        Width of a piece of text, for letters of size 1.

    Returns
    -------
    list of str
        The lines.
    float
        Size of letters in pixels: an eighth of the box's width, or less where more must fit, but 8 at the
        least and 32 at the most.
    """
    width, height = box
    longest = max((measure(word) for word in text.split()), default=0.0)
    size = max(8.0, min(width / 8, height / LINE_HEIGHT, 32.0))
    whole = 0.99 * width / longest if longest else size
    # Smaller letters rather than a broken word, but not where there are no blanks between words.
    if size / 2 <= whole < size:
        size = max(8.0, whole)
    while True:
        lines = break_lines(text, width / size, measure)
        if size <= 8.0 or len(lines) * size * LINE_HEIGHT <= height:
            return lines, size
        size = max(8.0, size * 0.9)


def _break_paragraph(paragraph: str, width: float, measure: MeasureWidth) -> Iterator[str]:
    blank, line, used = measure("x x") - measure("xx"), "", 0.0
    for word in paragraph.split():
        wide = measure(word)
        if line and used + blank + wide <= width:
            line, used = f"{line} {word}", used + blank + wide
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
            pieces, used = [*pieces, ""], 0.0
        pieces[-1] += letter
        used += wide
    return pieces
