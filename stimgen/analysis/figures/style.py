"""Holds what all figures of results share: colours, markers, fonts, labels, and how files are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from stimgen.reading.extras import import_optional
from stimgen.reading.text import to_one_line

EXTRA = "analysis"
PURPOSE = "drawing figures of results"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")
"""Colours that colour-blind readers tell apart (Okabe & Ito 2008), and a brown; markers differ as well."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
GREY = "0.45"
LONGEST_LABEL = 28
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.title_fontsize": 8.0,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "lines.linewidth": 1.2,
    "savefig.dpi": 200,
    # Letters of PDF files stay letters; those of SVG files are drawn, because readers have other fonts.
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "stimgen",
}
FORMATS: dict[str, dict[str, None]] = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}
"""Formats of figures, with what is left out of their metadata, so that the same figure has the same bytes."""


@contextmanager
def use_style() -> Iterator[None]:
    """Draw in the style of figures of results, whatever the user's own settings of matplotlib are."""
    style = import_optional("matplotlib.style", EXTRA, PURPOSE)
    with style.context(STYLE, after_reset=True):
        yield


def make_panels(count: int, columns: int, size: tuple[float, float], **sharing: Any) -> tuple[Any, list[Any]]:
    """Return a figure with a number of panels in rows; `size` is that of one panel in inches."""
    figure_module = import_optional("matplotlib.figure", EXTRA, PURPOSE)
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    figure = figure_module.Figure(figsize=(columns * size[0], rows * size[1]), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **sharing).ravel().tolist()
    for unused in axes[count:]:
        unused.remove()
    # A panel with none below it has its own labels, also where the last row is not full.
    for i, panel in enumerate(axes[:count]):
        panel.tick_params(labelbottom=i + columns >= count)
    return figure, axes[:count]


def write_figure(figure: Any, file_format: str) -> bytes:
    """Return the bytes of a figure as pdf, svg or png."""
    import io

    stream = io.BytesIO()
    with use_style():
        if figure.get_layout_engine() is not None:
            # Another layout would begin where this one ends, and the second file would differ from the first.
            figure.draw_without_rendering()
            # Without "none", which would stand for a layout, and be drawn for it once more in every format.
            figure.set_layout_engine(None)
        figure.savefig(stream, format=file_format, metadata=FORMATS[file_format])
    return stream.getvalue()


def write_formats(figure: Any) -> dict[str, bytes]:
    """Return the bytes of a figure in every format."""
    return {file_format: write_figure(figure, file_format) for file_format in FORMATS}


def format_label(name: object, longest: int = LONGEST_LABEL) -> str:
    """Return a name from a stranger that is safe in a figure: short, in known letters, without formulas."""
    text = to_one_line(str(name))
    if len(text) > longest:
        text = text[: longest - 3].rstrip() + "..."
    known = "".join(one if _has_letter(one) else ascii(one)[1:-1] for one in text)
    return known.replace("$", r"\$")


def format_title(name: str) -> str:
    """Return the name of a factor as a title: ``viewing_time`` is ``Viewing time``."""
    text = format_label(name.replace("_", " "))
    return text[:1].upper() + text[1:]


@cache
def _has_letter(letter: str) -> bool:
    fonts = import_optional("matplotlib.font_manager", EXTRA, PURPOSE)
    return bool(fonts.get_font(fonts.findfont(STYLE["font.family"])).get_char_index(ord(letter)))


def find_runs(names: Sequence[str]) -> list[list[int]]:
    """Return the places of neighbours that differ in one number only, which lines may connect.

    Examples
    --------
    >>> find_runs(["conv1", "conv2", "PS", "50 ms", "100 ms"])
    [[0, 1], [2], [3, 4]]
    """
    stems = [re.subn(r"\d+(\.\d+)?", "#", name, count=1) for name in names]
    runs: list[list[int]] = []
    for i, (stem, found) in enumerate(stems):
        if runs and found and stems[i - 1] == (stem, found):
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def label_places(panel: Any, names: Iterable[str], width: float) -> float:
    """Name the places 0, 1, ... along the lower side of a panel of some width in inches.

    Returns the height in inches by which the names are higher than a line.
    """
    labels = [format_label(name) for name in names]
    longest = max(map(len, labels), default=0)
    is_tight = longest * 0.068 > 0.92 * width / max(1, len(labels))
    panel.set_xticks(range(len(labels)), labels)
    if is_tight:
        panel.tick_params(axis="x", labelrotation=45)
        for text in panel.get_xticklabels():
            text.set(ha="right", va="top", rotation_mode="anchor")
    return 0.055 * longest if is_tight else 0.0


def scale_proportions(panel: Any, chance: float | None) -> None:
    """Give a panel an axis of proportions, from 0 to 1, with a line at chance."""
    panel.set_ylim(-0.03, 1.05)
    panel.set_yticks([0, 0.25, 0.5, 0.75, 1.0], ["0", ".25", ".50", ".75", "1"])
    if chance is not None and chance == chance:
        panel.axhline(chance, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
