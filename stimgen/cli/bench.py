"""What `stimgen bench` prints for people."""

from __future__ import annotations

from typing import Any

from stimgen.cli.display import format_bytes
from stimgen.stimulus_set.citing.wording import format_count


def format_benchmark(found: dict[str, Any]) -> str:
    """Return figures, as `bench` gives them, for people: units beside numbers, both parts beside ratios."""
    lines = [
        *_format_machine(found),
        *_format_evaluation(found),
        *_format_texture("one texture", found["texture"]),
    ]
    lines += [*_format_batches(found["batches"]), *_format_memory(found["memory"])]
    if "notebook" in found:
        lines += _format_notebook(found["notebook"])
    if "plenoptic" in found:
        lines += _format_plenoptic(found["plenoptic"])
    if "workers" in found:
        lines += _format_workers(found["workers"])
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {figure}" for name, figure in lines)


LabelledFigures = list[tuple[str, str]]

# From here on the long runs of rivals say little.
BUSY_RATIO = 1.5


def _format_machine(found: dict[str, Any]) -> LabelledFigures:
    here = found["machine"]
    memory = "" if here["memory"] is None else f", {format_bytes(here['memory'])}"
    lines = [
        ("date", found["date"]),
        ("machine", f"{here['processor']}, {here['cores']} cores, {here['threads']} threads{memory}"),
        ("device", f"{here['device']}, torch {here['versions']['torch']}, {here['instructions']}"),
    ]
    if found["options"]["quick"]:
        lines.append(("quick", "small and seldom: to see whether it runs, not how fast"))
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


def _format_texture(name: str, made: dict[str, Any]) -> LabelledFigures:
    kind = "grey" if made["channels"] == 1 else "colour"
    what = f"{made['size']} px, {kind}, {made['evaluations']} evaluations, loss {made['loss']:.3g}"
    return [(name, f"{made['seconds']:.3g} s ({what})")]


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


def _format_notebook(found: dict[str, Any]) -> LabelledFigures:
    evaluation, reference = found["evaluation"], found["reference"]
    lines = [("notebook, evaluation", _format_seconds(evaluation["seconds"]))]
    lines += [
        (f"  to the engine's, {name.removeprefix('to_')}", _format_ratio(figures))
        for name, figures in evaluation.items()
        if name != "seconds"
    ]
    reached = f"loss {reference['loss']:.4g} after {reference['seconds_to_lowest']:.3g} s"
    lines.append(("notebook, synthesis", f"{reached} ({reference['lowest_at']} evaluations)"))
    lines += [line for attempt in found["engine"] for line in _format_attempt(attempt)]
    if found["busy"]["ratio"] > BUSY_RATIO:
        lines.append(
            ("  the machine was busy", f"measure again: evaluations took {_format_ratio(found['busy'])}")
        )
    return lines


def _format_attempt(made: dict[str, Any]) -> LabelledFigures:
    alone = made["stimuli"] == 1
    scales = ", ".join(f"{count} at {width} px" for width, _, count in made["schedule"])
    faster = "not reached" if made["to_same_loss"] is None else _format_ratio(made["to_same_loss"])
    return [
        (
            f"engine, {made['precision']}, {'one stimulus' if alone else 'two together'}",
            f"loss {made['loss']:.4g} after {made['seconds']:.3g} s ({scales})",
        ),
        ("  time to the same loss" + ("" if alone else ", per stimulus"), faster),
    ]


def _format_plenoptic(found: dict[str, Any]) -> LabelledFigures:
    made = found["metamer"]
    return [
        (
            "plenoptic, metamer",
            f"{made['seconds']:.3g} s ({made['size']} px, grey, {made['iterations']} iterations)",
        ),
        *_format_texture("engine, texture", found["texture"]),
        ("  plenoptic to engine", _format_ratio(found["to_texture"])),
    ]


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
