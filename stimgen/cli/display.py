"""Shows the progress of a run, and what it made."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from stimgen.execution.progress import RunProgress
from stimgen.execution.shard import Shard
from stimgen.stimulus_set.citing.wording import format_count
from stimgen.stimulus_set.store import IMAGES, MANIFEST, SHEET


class ProgressDisplay:
    """Shows a progress bar on a terminal, and a line from time to time elsewhere.

    Parameters
    ----------
    quiet : bool
        Whether to show nothing.
    """

    seconds_between_lines = 10.0

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False)
        self._bar: Progress | None = None
        self._last = 0.0
        self._noticed = 0

    def __enter__(self) -> ProgressDisplay:
        """Show that the run has begun."""
        if not self._quiet and self._console.is_terminal:
            self._bar = Progress(BarColumn(), TextColumn("{task.description}"), console=self._console)
            self._bar.start()
            self._task = self._bar.add_task("planning", total=None)
        return self

    def __exit__(self, *exception: object) -> None:
        """Remove the progress bar from the terminal."""
        self.close()

    def close(self) -> None:
        """Remove the progress bar from the terminal."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def show(self, progress: RunProgress) -> None:
        """Show the progress, and every notice once."""
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
    if not progress.planned:
        return "planning"
    done = progress.there + progress.made
    line = f"{done}/{progress.planned} stimuli, loss {progress.loss:.4g}"
    if progress.workers:
        line = f"{format_count(progress.workers, 'worker')}: {line}"
    each, remaining = progress.seconds_per_stimulus, progress.remaining
    if each is None or remaining is None:
        return line
    end = datetime.now() + timedelta(seconds=remaining)
    rate = f"{3600 / each:.3g} stimuli per hour" if progress.workers else f"{each:.3g} s per stimulus"
    return f"{line}, {rate}, finished at about {end:%d %b %H:%M}"


def format_generation(progress: RunProgress, folder: Path, shard: Shard | None = None) -> str:
    """Return how many stimuli were made and where they are; for a shard, also how to merge it."""
    lines = [f"{_count_stimuli(progress.made)} made in {progress.seconds:.0f} s"]
    if progress.there:
        lines.insert(0, f"{progress.there} of {_count_stimuli(progress.planned)} existed already")
    lines.append(f"pictures:      {folder / IMAGES}")
    if shard is not None:
        lines.append(f"this was shard {shard}; when all shards are made, run: stimgen merge {folder}")
    else:
        lines += [f"contact sheet: {folder / SHEET}", f"manifest:      {folder / MANIFEST}"]
    return "\n".join(lines)


def describe_generation(progress: RunProgress, folder: Path) -> dict[str, Any]:
    """Return what `stimgen generate --json` prints."""
    return {
        "folder": str(folder),
        "planned": progress.planned,
        "existed": progress.there,
        "made": progress.made,
        "failures": {failure.stimulus.name: failure.reason for failure in progress.failures},
    }


def _count_stimuli(count: int) -> str:
    return format_count(count, "stimulus", "stimuli")
