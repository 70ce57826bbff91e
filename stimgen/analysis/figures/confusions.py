"""Draws what pictures are taken for."""

from __future__ import annotations

import numpy as np

from stimgen.analysis.figures.style import format_label, label_places, make_panels, use_style
from stimgen.analysis.figures.subject import FigureSubject, ResultFigure, Tables

MOST_WORDS = 40


def draw_confusions(tables: Tables, subject: FigureSubject) -> ResultFigure | None:
    """Return the figure of ``confusions``; None without it, or with more words than a figure can show.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables of results.
    subject : FigureSubject
        Not used; all figures take it.

    Returns
    -------
    ResultFigure or None
        Rows are the correct names, columns the answers; the factors are taken together.
    """
    del subject
    found = tables.get("confusions")
    if found is None or not len(found):
        return None
    sums = found.groupby(["correct_response", "response"], sort=True)["count"].sum().unstack(fill_value=0)
    rows = [str(name) for name in sums.index]
    others = sorted(
        (str(name) for name in sums.columns if name not in rows), key=lambda name: (not name, name)
    )
    columns = [*(name for name in rows if name in sums.columns), *others]
    if max(len(rows), len(columns)) > MOST_WORDS:
        return None
    counts = sums[columns].to_numpy(dtype=float)
    values = counts / counts.sum(1, keepdims=True)
    width, height = max(2.4, 0.34 * len(columns)), max(1.4, 0.28 * len(rows))
    with use_style():
        figure, (panel,) = make_panels(1, 1, (width + 2.6, height + 0.8))
        image = panel.imshow(values, cmap="cividis", vmin=0.0, vmax=1.0, aspect="auto")
        for (i, j), count in np.ndenumerate(counts):
            if count:
                colour = "black" if values[i, j] > 0.55 else "white"
                panel.text(j, i, f"{count:.0f}", ha="center", va="center", fontsize=7, color=colour)
        panel.spines[:].set_visible(False)
        more = label_places(panel, [name or "(no answer)" for name in columns], width)
        panel.set_yticks(range(len(rows)), [format_label(name) for name in rows])
        panel.tick_params(length=0)
        panel.set_xlabel("Answer")
        panel.set_ylabel("Correct name")
        figure.colorbar(image, ax=panel, label="Proportion of trials")
        figure.set_figheight(figure.get_figheight() + more)
    caption = "Answers to each picture: numbers of trials, and as colours their proportion in the row."
    return ResultFigure(figure, "Confusions", caption)
