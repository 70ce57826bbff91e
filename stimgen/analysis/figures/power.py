"""Draws how often simulated studies find an effect, against their number of participants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stimgen.analysis.figures.style import (
    COLOURS,
    GREY,
    MARKERS,
    format_label,
    format_title,
    make_panels,
    use_style,
)
from stimgen.analysis.figures.subject import ResultFigure
from stimgen.analysis.power import CONTRAST

if TYPE_CHECKING:
    import pandas as pd

MOST_PANELS = 24
MOST_LINES = len(COLOURS)
GOAL = 0.8
"""The power that studies are often planned for; a line marks it."""


def draw_power(rates: pd.DataFrame, confidence: float = 0.95) -> ResultFigure:
    """Return the figure of the results of `stimgen.workflow.power`.

    Parameters
    ----------
    rates : DataFrame
        The results, with several numbers of participants or one.
    confidence : float
        Confidence of the intervals.

    Returns
    -------
    ResultFigure
        One panel for each kind of test, number of trials and combination of the other factors. Contrasts are
        those between neighbours. Empty markers, in grey, are false alarms.
    """
    panels = _split_panels(rates)
    with use_style():
        figure, axes = make_panels(min(len(panels), MOST_PANELS), 3, (3.7, 2.6), sharey=True)
        for panel, (title, lines) in zip(axes, panels.items(), strict=False):
            _draw_panel(panel, title, lines)
        for panel in axes[::3]:
            panel.set_ylabel("Proportion of studies")
    left = f" {len(panels) - MOST_PANELS} more panels are left out." if len(panels) > MOST_PANELS else ""
    caption = (
        f"Power (coloured, with {100 * confidence:g} % Wilson intervals) and false alarms without an effect "
        f"(grey, empty) of {int(rates['studies'].iloc[0])} simulated studies. Lines: power of {GOAL:g}, and "
        f"{1 - confidence:.2g} false alarms. Contrasts are those between neighbours.{left}"
    )
    return ResultFigure(figure, "Power", caption)


def _split_panels(rates: pd.DataFrame) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the rows of each line of each panel."""
    names = list(rates.columns)
    factors = names[names.index("group") + 1 : names.index("factor")]
    panels: dict[str, dict[str, pd.DataFrame]] = {}
    keys = ["repetitions", "test", "group", *factors, "factor", "first", "second"]
    neighbours = _find_neighbours(rates)
    for key, rows in rates.groupby(keys, sort=False, dropna=False):
        told: dict[str, Any] = dict(zip(keys, key, strict=True))
        pair = (told["factor"], told["first"], told["second"])
        if told["test"] == CONTRAST and pair not in neighbours:
            continue
        title, line = _name_line(told, factors, rows)
        lines = panels.setdefault(title, {})
        if len(lines) < MOST_LINES:
            lines[line] = rows
    return panels


def _find_neighbours(rates: pd.DataFrame) -> set[tuple[str, str, str]]:
    """Return pairs of values of a factor of which none other is between."""
    pairs = rates.loc[rates["test"] == CONTRAST, ["factor", "first", "second"]].drop_duplicates()
    found = set()
    for factor, rows in pairs.groupby("factor", sort=False):
        values = list(dict.fromkeys([*rows["first"], *rows["second"]]))
        found |= {(str(factor), first, second) for first, second in zip(values, values[1:], strict=False)}
    return found


def _name_line(told: dict[str, Any], factors: list[str], rows: pd.DataFrame) -> tuple[str, str]:
    """Return the titles of a line's panel, and of the line."""
    trials = f"{rows['trials'].iloc[0]:g} trials each"
    group = "" if told["group"] in ("all", "") else f"{told['group']}, "
    first = factors[0] if factors else ""
    if told["test"] != CONTRAST:
        others = ", ".join(_name_level(name, told) for name in factors[1:])
        return f"{group}{told['test']}\n{others or format_title(first)}, {trials}", str(told.get(first, ""))
    pair = f"{told['first']} - {told['second']}"
    rest = [name for name in factors if told[name] and name != told["factor"]]
    if told["factor"] == first:
        others = ", ".join(_name_level(name, told) for name in rest)
        return f"{group}contrasts\n{others or format_title(first)}, {trials}", pair
    others = ", ".join(str(told[name]) if name == first else _name_level(name, told) for name in rest)
    return f"{group}{told['factor'].replace('_', ' ')} {pair}\n{trials}", others


def _name_level(name: str, told: dict[str, Any]) -> str:
    """Return a factor with its value: a number alone does not say what it is of."""
    return f"{name.replace('_', ' ')} {told[name]}"


def _draw_panel(panel: Any, title: str, lines: dict[str, pd.DataFrame]) -> None:
    for i, (name, rows) in enumerate(lines.items()):
        shift = (i - (len(lines) - 1) / 2) * 0.15
        x = rows["participants"].to_numpy(dtype=float) + shift
        value, low, high = (rows[key].to_numpy(dtype=float) for key in ("power", "power_low", "power_high"))
        bars = np.stack([value - low, high - value])
        look = {"color": COLOURS[i], "marker": MARKERS[i], "markersize": 5, "linewidth": 1.2}
        panel.errorbar(x, value, bars, label=format_label(name), **look)
        alarms = rows["false_alarms"].to_numpy(dtype=float)
        panel.plot(x, alarms, MARKERS[i], color=GREY, markerfacecolor="none", markersize=4)
    for level in (GOAL, 0.05):
        panel.axhline(level, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    panel.set_ylim(-0.02, 1.02)
    panel.set_yticks([0, 0.25, 0.5, 0.75, 1.0], ["0", ".25", ".50", ".75", "1"])
    numbers = sorted({int(one) for rows in lines.values() for one in rows["participants"]})
    panel.set_xticks(numbers, [str(one) for one in numbers])
    panel.set_xlabel("Participants")
    panel.set_title("\n".join(format_label(one, 60) for one in title.split("\n")))
    if any(lines):
        panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
