"""Loss against seconds, drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stimgen.benchmark.extras import needed
from stimgen.benchmark.notebook import Curve
from stimgen.reading.errors import StimgenError

OPTION, EXTRA = "`--plot`", "analysis"


def require_plot(file: Path) -> None:
    """Refuse a picture that could not be written, before anything is measured.

    Raises
    ------
    StimgenError
        matplotlib is not installed, or writes no such files, or the folder is not there.
    """
    formats = sorted(_figure().canvas.get_supported_filetypes())
    ending = file.suffix.removeprefix(".").lower()
    if ending not in formats:
        raise StimgenError(
            f"{OPTION}: {str(file)!r} ends in no format of pictures", given=ending, allowed=formats
        )
    if not file.parent.is_dir():
        raise StimgenError(f"{OPTION}: there is no such folder", where=file.parent)


def plot_losses(file: Path, curves: dict[str, Curve], goal: float) -> None:
    """Draw curves of loss against seconds, both logarithmic, and the loss that is to be reached.

    Raises
    ------
    StimgenError
        The file cannot be written.
    """
    figure = _figure()
    axes = figure.add_subplot()
    for name, curve in curves.items():
        axes.plot(curve.seconds, curve.losses, label=name)
    axes.axhline(goal, color="grey", linestyle=":", label="lowest of the notebook")
    axes.set(xscale="log", yscale="log", xlabel="time (s)", ylabel="loss at the scale under way")
    axes.legend()
    try:
        figure.savefig(file)
    except OSError as error:
        raise StimgenError(f"{OPTION}: cannot be written: {error.strerror}", where=file) from None


def _figure() -> Any:
    # Without pyplot: no window, no global state.
    return needed("matplotlib.figure", EXTRA, OPTION).Figure(layout="constrained")
