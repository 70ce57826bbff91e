"""Draws histograms, spectra and deviations of pictures before and after they were matched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from stimgen.drawing.figure import make_figure
from stimgen.images.matching.report import BINS, MatchingRecord, PictureCurves

MOST_LINES = 200  # of single pictures; more could not be told apart
SIDES = ("before", "after")


class CurvePair(NamedTuple):
    """Holds the curves of a picture before and after matching."""

    before: PictureCurves
    after: PictureCurves


def draw_histograms(pairs: Sequence[CurvePair], what: str, option: str) -> Any:
    """Return a figure of the histograms before and after; `what` names the measure."""
    figure = make_figure(option, (8.0, 3.2))
    centres = (np.arange(BINS) + 0.5) / BINS
    for axes, i in zip(figure.subplots(1, 2, sharex=True, sharey=True), range(2), strict=True):
        _draw_lines(axes, centres, [pair[i].histogram for pair in pairs])
        axes.set(title=SIDES[i], xlabel=what)
    figure.axes[0].set_ylabel("part of the pixels")
    # A few pictures with one dominant grey do not flatten all others.
    peaks = np.array([[curves.histogram.max() for curves in pair] for pair in pairs])
    figure.axes[0].set_ylim(0.0, 1.3 * np.quantile(peaks, 0.9, axis=0).max())
    return figure


def draw_spectra(pairs: Sequence[CurvePair], option: str) -> Any:
    """Return a figure of the rotational averages of the amplitude spectra before and after."""
    figure = make_figure(option, (8.0, 3.4))
    for axes, i in zip(figure.subplots(1, 2, sharex=True, sharey=True), range(2), strict=True):
        for pair in pairs[:MOST_LINES]:
            spectrum = np.maximum(pair[i].spectrum, 1e-9)
            axes.plot(np.arange(1, spectrum.size + 1), spectrum, color="0.6", lw=0.7, alpha=0.8)
        if len({pair[i].spectrum.size for pair in pairs}) == 1:
            mean = np.mean([pair[i].spectrum for pair in pairs], axis=0)
            axes.plot(np.arange(1, mean.size + 1), mean, color="black", lw=1.6)
        axes.set(title=SIDES[i], xlabel="cycles per shorter side", xscale="log", yscale="log")
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("amplitude")
    return figure


def draw_deviations(records: Sequence[MatchingRecord], option: str) -> Any:
    """Return a figure of every picture's measures before and after."""
    names = [
        ("mean", "mean luminance"),
        ("deviation", "standard deviation"),
        ("histogram_deviation", "histogram: distance from target"),
        ("spectrum_deviation", "spectrum: deviation from target"),
    ]
    shown = [(key, text) for key, text in names if getattr(records[0].before, key) is not None]
    figure = make_figure(option, (2.6 * len(shown) + 0.4, 3.2))
    for axes, (key, text) in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown, strict=True):
        values = np.array([[getattr(side, key) for side in (one.before, one.after)] for one in records])
        for pair in values[:MOST_LINES]:
            axes.plot((0, 1), pair, color="0.7", lw=0.7, marker="o", ms=2.5, mfc="black", mec="black")
        axes.set_xticks((0, 1), SIDES)
        axes.set(title=text, xlim=(-0.3, 1.3), ylim=(0.0, None))
        axes.title.set_fontsize(9)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_lines(axes: Any, x: Any, lines: Sequence[Any]) -> None:
    for line in lines[:MOST_LINES]:
        axes.plot(x, line, color="0.6", lw=0.7, alpha=0.8)
    axes.plot(x, np.mean(lines, axis=0), color="black", lw=1.6)
    axes.spines[["top", "right"]].set_visible(False)
