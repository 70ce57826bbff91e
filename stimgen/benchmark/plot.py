"""Loss against seconds, drawn."""

from __future__ import annotations

from pathlib import Path

from stimgen.benchmark.notebook import Curve
from stimgen.drawing.figure import check_figure_file, make_figure, save_figure

OPTION = "`--plot`"


def require_plot(file: Path) -> None:
    """Refuse a picture that could not be written, before anything is measured.

    Raises
    ------
    StimgenError
        matplotlib is not installed, or writes no such files, or the folder is not there.
    """
    check_figure_file(file, OPTION)


def plot_losses(file: Path, curves: dict[str, Curve], goal: float) -> None:
    """Draw curves of loss against seconds, both logarithmic, and the loss that is to be reached.

    Raises
    ------
    StimgenError
        The file cannot be written.
    """
    figure = make_figure(OPTION)
    axes = figure.add_subplot()
    for name, curve in curves.items():
        axes.plot(curve.seconds, curve.losses, label=name)
    axes.axhline(goal, color="grey", linestyle=":", label="lowest of the notebook")
    axes.set(xscale="log", yscale="log", xlabel="time (s)", ylabel="loss at the scale under way")
    axes.legend()
    save_figure(figure, file, OPTION)
