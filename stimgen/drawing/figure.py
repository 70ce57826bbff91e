"""Figures by matplotlib, an optional package: made without a window, written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stimgen.reading.errors import StimgenError
from stimgen.reading.extras import import_optional

EXTRA = "analysis"


def make_figure(option: str, size: tuple[float, float] | None = None) -> Any:
    """Return an empty figure, of `size` in inches.

    Raises
    ------
    StimgenError
        matplotlib is not installed; `option` is what it is needed for, as the user wrote it.
    """
    # Without pyplot: no window, no global state.
    return import_optional("matplotlib.figure", EXTRA, option).Figure(figsize=size, layout="constrained")


def check_figure_file(file: Path, option: str) -> None:
    """Refuse a figure that could not be written, before anything is computed.

    Raises
    ------
    StimgenError
        matplotlib is not installed, or writes no such files, or the folder is not there.
    """
    formats = sorted(make_figure(option).canvas.get_supported_filetypes())
    ending = file.suffix.removeprefix(".").lower()
    if ending not in formats:
        raise StimgenError(
            f"{option}: {str(file)!r} ends in no format of pictures", given=ending, allowed=formats
        )
    if not file.parent.is_dir():
        raise StimgenError(f"{option}: there is no such folder", where=file.parent)


def save_figure(figure: Any, file: Path, option: str) -> None:
    """Write a figure.

    Raises
    ------
    StimgenError
        The file cannot be written.
    """
    try:
        figure.savefig(file)
    except OSError as error:
        raise StimgenError(f"{option}: cannot be written: {error.strerror}", where=file) from None
