"""Defines the command that inspects pictures before a protocol is written."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from stimgen.cli.options import JSON, QUIET, argument, option
from stimgen.cli.terminal import print_result

commands = typer.Typer()


@commands.command()
def sources(
    folder: Path = argument("FOLDER", "A folder of pictures, which may contain folders."),
    size: int = option("--size", "N", "Size in pixels that the protocol asks for.", 256, min=8, max=4096),
    sheet: Path | None = option("--sheet", "FILE", "Draw all pictures into this PNG file."),
    table: Path | None = option("--csv", "FILE", "Write the table of all pictures into this file."),
    workers: int | None = option("--workers", "N", "Number of processes. [default: all processors]", min=1),
    *,
    as_json: bool = JSON,
    quiet: bool = QUIET,
) -> None:
    """Look at pictures before a protocol is written.

    Lists sizes, depths, colour profiles, transparency, duplicates, luminance, contrast, and what cannot be
    read. Prints the `sources` of a protocol to paste.
    """
    from stimgen.cli.sources_text import format_inspection
    from stimgen.workflow.sources import InspectionOptions, inspect_folder

    console = Console(stderr=True, highlight=False)
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("pictures")
    options = InspectionOptions(size, sheet, table, workers)
    shown = console.is_terminal and not (quiet or as_json)
    with Progress(*columns, console=console, disable=not shown, transient=True) as progress:
        task = progress.add_task("", total=None)
        found = inspect_folder(
            folder, options, lambda done, total: progress.update(task, completed=done, total=total)
        )
    if as_json or not quiet:
        print_result(found, format_inspection, as_json=as_json)
