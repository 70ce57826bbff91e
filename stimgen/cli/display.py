"""What the command line shows: progress, plans, summaries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from stimgen.execution.progress import RunProgress
    from stimgen.execution.shard import Shard
    from stimgen.workflow.resynthesis_comparison import PictureDifference, ResynthesisResult


class ProgressDisplay:
    """A bar where there is a terminal, plain lines now and then where there is none.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    """

    seconds_between_lines = 10.0

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console

        self._quiet = quiet
        self._console: Console = Console(stderr=True, highlight=False)
        self._bar: Any = None
        self._last = 0.0
        self._noticed = 0

    def __enter__(self) -> ProgressDisplay:
        """Show that something goes on."""
        if not self._quiet and self._console.is_terminal:
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(BarColumn(), TextColumn("{task.description}"), console=self._console)
            self._bar.start()
            self._task = self._bar.add_task("planning", total=None)
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the terminal as it was."""
        self.close()

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def show(self, progress: RunProgress) -> None:
        """Show how far it is, and every notice once."""
        for notice in [] if self._quiet else progress.notices[self._noticed :]:
            self._console.print(notice, markup=False, soft_wrap=True)
        self._noticed = len(progress.notices)
        if self._bar is not None:
            done = progress.there + progress.made + progress.under_way
            total = progress.planned or None
            self._bar.update(self._task, total=total, completed=done, description=_format_progress(progress))
        elif not self._quiet and progress.seconds - self._last >= self.seconds_between_lines:
            self._last = progress.seconds
            self._console.print(_format_progress(progress), markup=False)


def _format_progress(progress: RunProgress) -> str:
    from datetime import datetime, timedelta

    if not progress.planned:
        return "planning"
    done = progress.there + progress.made
    line = f"{done}/{progress.planned} stimuli, loss {progress.loss:.4g}"
    if progress.workers:
        line = f"{progress.workers} workers: {line}"
    if progress.seconds_per_stimulus is None or progress.remaining is None:
        return line
    end = datetime.now() + timedelta(seconds=progress.remaining)
    each = progress.seconds_per_stimulus
    rate = f"{each:.3g} s each" if not progress.workers else f"{3600 / each:.3g} an hour"
    return f"{line}, {rate}, done at {end:%d %b %H:%M:%S}"


def format_generation(progress: RunProgress, folder: Path, shard: Shard | None = None) -> str:
    """Return what was made, and where it is; of a shard, what is to be done with it."""
    from stimgen.stimulus_set.store import IMAGES, MANIFEST, SHEET

    lines = []
    if progress.there:
        lines.append(f"{progress.there} of {progress.planned} stimuli were there already")
    lines.append(f"{progress.made} stimuli made in {progress.seconds:.0f} s")
    if shard is not None:
        lines.append(f"pictures:      {folder / IMAGES}")
        lines.append(f"this was shard {shard}; once all are made: stimgen merge {folder}")
        return "\n".join(lines)
    lines += [f"pictures:      {folder / IMAGES}", f"contact sheet: {folder / SHEET}"]
    lines.append(f"manifest:      {folder / MANIFEST}")
    return "\n".join(lines)


def format_confounds(rows: list[dict[str, Any]]) -> str:
    """Return the table of a set's conditions for people."""
    from stimgen.reading.errors import make_printable
    from stimgen.reading.text import to_one_line

    measures = [key.removesuffix("_mean") for key in rows[0] if key.endswith("_mean")]
    lines = [["condition", "n", *measures]]
    lines += [
        [
            make_printable(to_one_line(row["condition"]), limit=64),
            str(row["n"]),
            *(_format_mean_and_deviation(row, measure) for measure in measures),
        ]
        for row in rows
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*text, "means, and in brackets standard deviations, over pictures"])


def _format_mean_and_deviation(row: dict[str, Any], measure: str) -> str:
    mean, deviation = row[f"{measure}_mean"], row[f"{measure}_sd"]
    if mean is None:
        return "-"
    return f"{mean:.3g}" if deviation is None else f"{mean:.3g} ({deviation:.2g})"


def format_plan(summary: dict[str, Any]) -> str:
    """Return a plan, as `plan_summary` gives it, for people."""
    lines = [
        f"{summary['protocol']}: {len(summary['stimuli'])} stimuli, about {format_bytes(summary['bytes'])}"
    ]
    for source in summary["sources"]:
        width, height = source["size"]
        kind = "grey" if source["channels"] == 1 else "colour"
        lines.append(f"source {source['id']}: {source['file']}, {width} x {height}, {kind}")
        said = ", ".join(f"{key} {_format_value(value)}" for key, value in source["presentation"].items())
        lines += [f"  {said}"] if said else []
    for condition in summary["conditions"]:
        lines += _format_condition(condition)
    return "\n".join(lines)


def _format_condition(condition: dict[str, Any]) -> list[str]:
    time = f", about {condition['seconds']:.3g} s" if "seconds" in condition else ""
    lines = [
        f"condition {condition['id']}: {condition['stimuli']} stimuli, "
        f"{condition['parameters']:,} parameters, {condition['evaluations']} evaluations each, "
        f"{format_bytes(condition['bytes'])} on disk, "
        f"{format_bytes(condition['memory'])} of memory each{time}"
    ]
    for term in condition["terms"]:
        layers = ", ".join(f"{name} x {weight:.3g}" for name, weight in term["layers"].items())
        lines.append(
            f"  {term['weight']:g} x {_format_value(term['statistic'])} of {_format_value(term['network'])}"
        )
        lines += [f"    layers {layers}", f"    regions {_format_value(term['regions'])}"]
        if "target" in term:
            target = term["target"]
            name = condition["targets"][target["pixels"]["sha256"]]
            lines.append(f"    target: {target['weight']:g} of {name}, {target['along']}")
    for schedule in condition["schedules"]:
        scales = ", then ".join(f"{count} at {width} x {height}" for width, height, count in schedule)
        lines.append(f"  evaluations: {scales}")
    settings = ", ".join(f"{key} {_format_value(value)}" for key, value in condition["settings"].items())
    return [*lines, f"  {settings}"]


def _format_value(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(inner, (int, float)) for inner in value):
        return str(value)
    if isinstance(value, list):
        return " + ".join(_format_value(inner) for inner in value)
    if not isinstance(value, dict):
        return str(value)
    rest = ", ".join(f"{key} {_format_value(inner)}" for key, inner in value.items() if key != "name")
    return f"{value.get('name', '')} ({rest})".strip() if rest else str(value.get("name", ""))


def format_bytes(count: float) -> str:
    """Return a number of bytes with three digits and a unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"


def format_resynthesis(one: ResynthesisResult) -> str:
    """Return a line on a stimulus that was made again: what was checked, and what came out."""
    if one.problem is not None:
        said = f"PROBLEM: {one.problem}"
    elif one.identical:
        said = "made again: identical bytes"
    else:
        said = "made again, on another kind of machine or with other versions: within tolerance"
    return f"{one.file}: {said}{_format_difference(one.difference)}"


def _format_difference(difference: PictureDifference | None) -> str:
    if difference is None:
        return ""
    figures = [f"spectrum {difference.spectrum:.4f}", f"luminance {difference.luminance:.4f}"]
    if difference.psnr is not None:
        figures.insert(0, f"PSNR {difference.psnr:.1f} dB")
    if difference.loss_ratio is not None:
        figures.append(f"loss x {difference.loss_ratio:.3f}")
    return f" ({', '.join(figures)})"
