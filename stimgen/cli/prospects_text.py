"""Reads the options, and formats the results, of commands that tell what a study will find."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimgen.analysis.power import CONTRAST
from stimgen.cli.terminal import print_text
from stimgen.cli.text import format_columns
from stimgen.reading.errors import StimgenError, make_printable

if TYPE_CHECKING:
    from stimgen.workflow.power import PowerResults
    from stimgen.workflow.predict import Prediction, ScaledBy

MOST_ROWS = 80
SECONDS_BETWEEN_LINES = 10.0


def parse_numbers(name: str, text: str) -> tuple[int, ...]:
    """Return the whole numbers of an option, rising and each once; `text` separates them by commas."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if not part.isdecimal():
            raise StimgenError(f"{name}: {part!r} is not a whole number", hint=f"for example {name} 8,12,16")
    return tuple(sorted({int(part) for part in parts}))


def parse_effect(text: str) -> float | dict[str, float]:
    """Return a d', or one for each condition: ``1.5`` or ``texture=2,texform=1.2``."""
    if "=" not in text:
        return _parse_dprime(text)
    found = {}
    for part in text.split(","):
        name, separator, value = part.rpartition("=")
        if not separator or not name.strip():
            raise _effect_error(part)
        found[name.strip()] = _parse_dprime(value)
    return found


def _parse_dprime(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise _effect_error(text) from None
    if not 0.0 <= value <= 20.0:
        raise StimgenError(f"--effect: a d' of {text.strip()} is not between 0 and 20")
    return value


def _effect_error(text: str) -> StimgenError:
    return StimgenError(
        f"--effect: {text.strip()!r} is not a d'",
        hint="give one number, or one for each condition: --effect texture=2,texform=1.2",
    )


def show_progress(*, quiet: bool) -> Callable[[int, int], None] | None:
    """Return what prints from time to time how many studies are done; None if nothing is to be printed."""
    last = [time.monotonic()]

    def report(done: int, total: int) -> None:
        if time.monotonic() - last[0] >= SECONDS_BETWEEN_LINES:
            last[0] = time.monotonic()
            print_text(f"{done} of {total} studies", error=True)

    return None if quiet else report


def parse_scaled_by(name: str) -> ScaledBy:
    """Return what features are measured by."""
    if name == "parts":
        return "parts"
    if name == "pictures":
        return "pictures"
    raise StimgenError(f"--scaled-by: {name!r} is not understood", given=name, allowed=("parts", "pictures"))


def format_prediction(found: Prediction) -> str:
    """Return proportions correct by cell, with a column for each kind of features."""
    frame, factors = found.accuracy, list(found.factors)
    names = list(dict.fromkeys(frame["features"]))
    rows = [[*factors, "trials", *(make_printable(name, 30) for name in names)]]
    keys = factors or ["chance"]
    for _, cell in frame.groupby(keys, sort=False, dropna=False):
        shown = cell.set_index("features")
        first = shown.iloc[0]
        values = [shown.loc[name] for name in names]
        rows.append(
            [
                *(make_printable(str(first[name]), 30) for name in factors),
                str(first["trials"]),
                *(f"{one['proportion']:.3f} [{one['low']:.3f}, {one['high']:.3f}]" for one in values),
            ]
        )
    chance = "not known" if found.chance is None else f"{found.chance:.3f}"
    head = f"{found.experiment}: proportion correct by features, with Wilson intervals; chance {chance}"
    return "\n".join([head, "", *format_columns(rows)])


def format_power(found: PowerResults, files: Sequence[Path]) -> str:
    """Return the tables of power, first against chance and then of contrasts, with what was assumed."""
    settings = found.settings
    head = [
        f"{found.experiment}: {found.studies} studies with an effect, and as many without",
        f"standard deviation of d', as a share of d': {settings.participant_sd:g} over participants, "
        f"{settings.source_sd:g} over sources, correlated {settings.correlation:g} between conditions",
    ]
    lines = [*head]
    rates = found.rates
    for test, part in rates.groupby("test", sort=False):
        columns = [
            name for name in ("group", *_list_factors(rates), "first", "second") if _varies(part, name)
        ]
        title = "difference" if test == CONTRAST else "correct"
        rows = [["participants", "trials", *columns, title, "power (95 %)", "false alarms (95 %)"]]
        for row in part.head(MOST_ROWS).to_dict("records"):
            rows.append(
                [
                    str(row["participants"]),
                    f"{row['trials']:g}",
                    *(make_printable(str(row[name]), 30) for name in columns),
                    f"{row['estimate']:.3f}",
                    _format_rate(row, "power"),
                    _format_rate(row, "false_alarms"),
                ]
            )
        lines += ["", str(test), *format_columns(rows)]
        if len(part) > MOST_ROWS:
            lines.append(f"... and {len(part) - MOST_ROWS} more rows")
    return "\n".join([*lines, "", ", ".join(map(str, files))])


def _list_factors(rates: Any) -> list[str]:
    names = list(rates.columns)
    return names[names.index("group") + 1 : names.index("factor")]


def _varies(part: Any, name: str) -> bool:
    return bool(part[name].nunique() > 1 or (name in ("first", "second") and (part[name] != "").any()))


def _format_rate(row: dict[Any, Any], name: str) -> str:
    if math.isnan(row[name]):
        return "n/a"
    return f"{row[name]:.2f} [{row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f}]"
