"""Formats what `stimgen bench` has measured."""

from __future__ import annotations

from typing import Any

from stimgen.cli.text import format_bytes, format_columns
from stimgen.stimulus_set.citing.wording import format_count


def format_benchmark(found: dict[str, Any]) -> str:
    """Return a table of the figures of `run_bench`, with units, and with both numbers of every ratio."""
    lines = [
        *_format_machine(found),
        *_format_evaluation(found),
        *_format_texture(found["texture"]),
        *_format_batches(found["batches"]),
        *_format_memory(found["memory"]),
    ]
    if "workers" in found:
        lines += _format_workers(found["workers"])
    return "\n".join(format_columns(lines))


LabelledFigures = list[tuple[str, str]]


def _format_machine(found: dict[str, Any]) -> LabelledFigures:
    here = found["machine"]
    memory = "" if here["memory"] is None else f", {format_bytes(here['memory'])}"
    lines = [
        ("date", found["date"]),
        ("machine", f"{here['processor']}, {here['cores']} cores, {here['threads']} threads{memory}"),
        ("device", f"{here['device']}, torch {here['versions']['torch']}, {here['instructions']}"),
    ]
    if found["options"]["quick"]:
        lines.append(("quick", "little was measured, to see whether it runs; the figures mean little"))
    return lines


def _format_evaluation(found: dict[str, Any]) -> LabelledFigures:
    lines = [
        (f"matrix products, {kind}", f"{_format_rate(best['flops_per_second'])}, side {best['side']}")
        for kind, best in found["ceiling"].items()
    ]
    for kind, figures in found["evaluation"].items():
        share, seconds = figures["share_of_ceiling"], _format_seconds(figures["seconds"])
        lines += [
            (f"evaluation, {kind}", f"{seconds}, {figures['flops'] / 1e9:.3g} GFLOP of convolutions"),
            (
                "  share of the ceiling",
                f"{share['ratio']:.2f} = {_format_rate(share['numerator'])}"
                f" / {_format_rate(share['denominator'])}",
            ),
        ]
    return lines


def _format_texture(made: dict[str, Any]) -> LabelledFigures:
    kind = "grey" if made["channels"] == 1 else "colour"
    what = f"{made['size']} px, {kind}, {made['evaluations']} evaluations, loss {made['loss']:.3g}"
    return [("one texture", f"{made['seconds']:.3g} s ({what})")]


def _format_batches(found: dict[str, Any]) -> LabelledFigures:
    lines = [
        (
            f"batch of {row['stimuli']}",
            f"{row['stimuli_per_minute']:.3g} stimuli/min ({_format_seconds(row['seconds'])})",
        )
        for row in found["sizes"]
    ]
    together = found["together_to_singles"]
    return [*lines, (f"  {together['stimuli']} together to singly", _format_ratio(together))]


def _format_memory(found: list[dict[str, Any]]) -> LabelledFigures:
    lines = []
    for row in found:
        predicted = format_bytes(row["predicted"])
        text = f"not measured here, {predicted} predicted"
        if row["peak"] is not None:
            text = f"{row['ratio']:.2f} = peak {format_bytes(row['peak'])} / predicted {predicted}"
        lines.append((f"memory, {row['stimuli']} in {row['slots']} slots", text))
    return lines


def _format_workers(found: dict[str, Any]) -> LabelledFigures:
    lines = [
        (
            f"{format_count(row['workers'], 'worker')} of {format_count(row['threads'], 'thread')}",
            f"{row['stimuli_per_minute']:.3g} stimuli/min ({row['stimuli']} in {row['seconds']:.3g} s)",
        )
        for row in found["rows"]
    ]
    return [*lines, ("  one worker to all, per stimulus", _format_ratio(found["one_to_all"]))]


def _format_ratio(found: dict[str, float]) -> str:
    return f"{found['ratio']:.3g} x = {found['numerator']:.3g} s / {found['denominator']:.3g} s"


def _format_rate(flops_per_second: float) -> str:
    return f"{flops_per_second / 1e9:.4g} GFLOP/s"


def _format_seconds(found: dict[str, Any]) -> str:
    return f"{found['minimum']:.3g} s fastest, {found['median']:.3g} s median of {len(found['all'])}"
