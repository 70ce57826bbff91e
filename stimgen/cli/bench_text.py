"""Formats what `stimgen bench` has measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stimgen.cli.text import format_bytes, format_columns
from stimgen.stimulus_set.citing.wording import format_count

LabelledFigures = Iterator[tuple[str, str]]


def format_benchmark(found: dict[str, Any]) -> str:
    """Return a table of the figures of `run_bench`, with units, and with both numbers of every ratio."""
    return "\n".join(format_columns(list(_list_figures(found))))


def _list_figures(found: dict[str, Any]) -> LabelledFigures:
    yield from _list_machine(found)
    yield from _list_evaluation(found)
    made = found["texture"]
    kind = "grey" if made["channels"] == 1 else "colour"
    what = f"{made['size']} px, {kind}, {made['evaluations']} evaluations, loss {made['loss']:.3g}"
    yield "one texture", f"{made['seconds']:.3g} s ({what})"
    yield from _list_batches(found["batches"])
    for row in found["memory"]:
        yield f"memory, batch of {row['stimuli']} ({row['slots']} slots)", _format_memory(row)
    if "workers" in found:
        yield from _list_workers(found["workers"])


def _list_machine(found: dict[str, Any]) -> LabelledFigures:
    here = found["machine"]
    memory = "" if here["memory"] is None else f", {format_bytes(here['memory'])}"
    yield "date", found["date"]
    yield "machine", f"{here['processor']}, {here['cores']} cores, {here['threads']} threads{memory}"
    yield "device", f"{here['device']}, torch {here['versions']['torch']}, {here['instructions']}"
    if found["options"]["quick"]:
        yield "quick", "little was measured, only to see whether it runs; do not rely on the figures"


def _list_evaluation(found: dict[str, Any]) -> LabelledFigures:
    for kind, best in found["ceiling"].items():
        yield f"matrix products, {kind}", f"{_format_rate(best['flops_per_second'])}, side {best['side']}"
    for kind, figures in found["evaluation"].items():
        share, seconds = figures["share_of_ceiling"], _format_seconds(figures["seconds"])
        yield f"evaluation, {kind}", f"{seconds}, {figures['flops'] / 1e9:.3g} GFLOP of convolutions"
        rates = f"{_format_rate(share['numerator'])} / {_format_rate(share['denominator'])}"
        yield "  share of the ceiling", f"{share['ratio']:.2f} = {rates}"


def _list_batches(found: dict[str, Any]) -> LabelledFigures:
    for row in found["sizes"]:
        rate = f"{row['stimuli_per_minute']:.3g} stimuli per minute"
        yield f"batch of {row['stimuli']}", f"{rate} ({_format_seconds(row['seconds'])})"
    together = found["together_to_singles"]
    yield f"  {together['stimuli']} together, compared with one by one", _format_ratio(together)


def _format_memory(row: dict[str, Any]) -> str:
    predicted = format_bytes(row["predicted"])
    if row["peak"] is None:
        return f"not measured here, {predicted} predicted"
    return f"{row['ratio']:.2f} = peak {format_bytes(row['peak'])} / predicted {predicted}"


def _list_workers(found: dict[str, Any]) -> LabelledFigures:
    for row in found["rows"]:
        name = f"{format_count(row['workers'], 'worker')} of {format_count(row['threads'], 'thread')}"
        rate = f"{row['stimuli_per_minute']:.3g} stimuli per minute"
        yield name, f"{rate} ({row['stimuli']} in {row['seconds']:.3g} s)"
    yield "  one worker compared with all, per stimulus", _format_ratio(found["one_to_all"])


def _format_ratio(found: dict[str, float]) -> str:
    return f"{found['ratio']:.3g} x = {found['numerator']:.3g} s / {found['denominator']:.3g} s"


def _format_rate(flops_per_second: float) -> str:
    return f"{flops_per_second / 1e9:.4g} GFLOP/s"


def _format_seconds(found: dict[str, Any]) -> str:
    return f"fastest {found['minimum']:.3g} s, median of {len(found['all'])} {found['median']:.3g} s"
