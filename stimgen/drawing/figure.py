"""Makes figures with matplotlib, an optional package, without a window, and writes them to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stimgen.reading.errors import StimgenError
from stimgen.reading.extras import import_optional

EXTRA = "analysis"


def make_figure(option: str, size: tuple[float, float] | None = None, margin: float | None = None) -> Any:
    """Return an empty figure with size and margins between panels in inches.

    Raises `StimgenError` if matplotlib, which the user's `option` needs, is not installed.
    """
    # Without pyplot, there is neither a window nor global state.
    figure = import_optional("matplotlib.figure", EXTRA, option).Figure(figsize=size, layout="constrained")
    figure.get_layout_engine().set(w_pad=margin, h_pad=margin)
    return figure


def check_figure_file(file: Path, option: str) -> None:
    """Check before anything is computed that a figure can be written.

    Raises `StimgenError` if matplotlib is not installed or does not know the file's format, or the folder
    does not exist.
    """
    formats = sorted(make_figure(option).canvas.get_supported_filetypes())
    ending = file.suffix.removeprefix(".").lower()
    if ending not in formats:
        message = f"{option}: {str(file)!r} does not end with a picture format"
        raise StimgenError(message, given=ending, allowed=formats)
    if not file.parent.is_dir():
        raise StimgenError(f"{option}: there is no such folder", where=file.parent)


def save_figure(figure: Any, file: Path, option: str) -> None:
    """Write a figure; raise `StimgenError` if the file cannot be written."""
    try:
        figure.savefig(file)
    except OSError as error:
        raise StimgenError(f"{option}: cannot be written: {error.strerror}", where=file) from None
