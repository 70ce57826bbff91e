"""Defines the commands that analyze answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from stimgen.cli.options import JSON, argument, option
from stimgen.cli.terminal import print_json, print_text

commands = typer.Typer()


@commands.command()
def analyze(
    data: list[Path] = argument("DATA...", "Folders of `stimgen run`, BIDS folders, journals or CSV files."),
    output: Path | None = option("-o, --output", "FOLDER", "Folder of the results. [default: analysis/NAME]"),
    settings: Path | None = option("--settings", "FILE", "A YAML file with columns, task and so on."),
    columns: list[str] | None = option(
        "--column", "OURS=THEIRS", "A column of a CSV file, such as condition=model; repeatable."
    ),
    factors: list[str] | None = option(
        "--factor", "NAME[=THEIRS]", "A further independent variable of a CSV file; repeatable."
    ),
    values: list[str] | None = option(
        "--value", "OURS:THEIRS=MEANING", "What a value means: correct_response:present=yes; repeatable."
    ),
    by: str | None = option("--by", "A,B", "Factors that tables are split by. [default: all]"),
    task: str | None = option("--task", "TASK", "The task. [default: the experiment's]"),
    rule: str | None = option("--rule", "RULE", "The decision rule for d'. [default: the task's]"),
    alternatives: int | None = option("--alternatives", "N", "Number of alternatives."),
    dimensions: int | None = option(
        "--dimensions", "N", "Dimensions of sensations, for oddity. [default: 1]"
    ),
    chance: float | None = option("--chance", "P", "Proportion correct by chance. [default: the task's]"),
    correction: str | None = option(
        "--correction", "NAME", "Of proportions 0 and 1: log-linear, 1/(2N), none."
    ),
    level: str | None = option("--level", "FACTOR", "The factor that psychometric functions are along."),
    function: str | None = option("--function", "NAME", "logistic, normal, weibull or critical_scaling."),
    level_scale: str | None = option("--level-scale", "SCALE", "linear or logarithmic. [default: by levels]"),
    observer: str | None = option("--observer", "NAME", "Keep person, simulated or model."),
    stimuli: list[Path] | None = option(
        "--stimuli",
        "FOLDER",
        "A set whose pictures stand in figures; repeatable. [default: the journals']",
    ),
    unit: str | None = option("--response-time-unit", "UNIT", "s or ms. [default: s]"),
    *,
    as_json: bool = JSON,
) -> None:
    """Compute results from answers.

    Writes tables and figures: proportion correct by condition, participant and source with intervals, d' and
    more; and report.html, a page that shows them all, with a methods paragraph and references.
    """
    from stimgen.analysis.settings import load_settings
    from stimgen.cli.analysis_text import format_analysis
    from stimgen.workflow.analyze import analyze as run_analysis

    renamed = [_split(one, "factor", "--factor viewing=duration") for one in factors or () if "=" in one]
    named = [_split(one, "column", "--column condition=model") for one in columns or ()]
    given: dict[str, Any] = {
        "columns": dict([*named, *renamed]),
        "factors": tuple(one.partition("=")[0] for one in factors or ()),
        "values": _collect_values(values or ()),
        "by": None if by is None else tuple(one.strip() for one in by.split(",") if one.strip()),
        "task": task,
        "rule": rule,
        "alternatives": alternatives,
        "dimensions": dimensions,
        "chance": chance,
        "correction": correction,
        "level": level,
        "function": function,
        "level_scale": level_scale,
        "observer": observer,
        "response_time_unit": unit,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    found = run_analysis(data, load_settings(settings, changes), output, stimuli or ())
    if as_json:
        print_json(found.to_dict())
    else:
        print_text(format_analysis(found))


def _split(text: str, name: str, example: str) -> tuple[str, str]:
    from stimgen.reading.errors import StimgenError

    ours, separator, theirs = text.partition("=")
    if not separator or not ours or not theirs:
        raise StimgenError(f"--{name} {text}: is not OURS=THEIRS", hint=f"for example {example}")
    return ours, theirs


def _collect_values(texts: list[str] | tuple[()]) -> dict[str, dict[str, str]]:
    from stimgen.reading.errors import StimgenError

    found: dict[str, dict[str, str]] = {}
    for text in texts:
        column, colon, pair = text.partition(":")
        theirs, equals, meaning = pair.rpartition("=")
        if not (column and colon and theirs and equals and meaning):
            raise StimgenError(
                f"--value {text}: is not OURS:THEIRS=MEANING",
                hint="for example --value correct_response:present=yes",
            )
        found.setdefault(column, {})[theirs] = meaning
    return found
