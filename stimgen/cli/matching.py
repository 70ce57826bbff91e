"""Defines the command that matches pictures with each other."""

from __future__ import annotations

from pathlib import Path

import typer

from stimgen.cli.options import JSON, QUIET, argument, flag, option
from stimgen.cli.terminal import print_json, print_text

commands = typer.Typer()


@commands.command()
def match(
    folder: Path = argument("FOLDER", "A folder of pictures, or a stimulus set."),
    output: Path = option("-o, --output", "FOLDER", "A new folder.", ...),
    luminance: str | None = option("--luminance", "WHAT", "histogram, moments or none. [default: histogram]"),
    spectrum: str | None = option("--spectrum", "WHAT", "rotational, full or none. [default: none]"),
    colour: str | None = option("--colour", "WHAT", "luminance or lab. [default: luminance]"),
    ssim: int | None = option("--ssim", "N", "Steps that raise the structural similarity. [default: 0]"),
    iterations: int | None = option("--iterations", "N", "Most iterations of both. [default: 50]"),
    tolerance: float | None = option("--tolerance", "X", "Enough, of spectra. [default: 0.01]"),
    contrast: float | None = option("--contrast", "X", "Factor of the target's contrast. [default: 1]"),
    clipping: float | None = option("--clipping", "X", "Part that may be clipped. [default: 0.001]"),
    masks: Path | None = option("--masks", "FOLDER", "Masks of the same names, white where to match."),
    bits: int = option("--bits", "N", "8 or, for grey pictures, 16.", 8),
    encoding: str = option("--encoding", "WHAT", "What values mean: srgb or linear light.", "srgb"),
    *,
    grey: bool = flag("--grey", "Make colour pictures grey."),
    as_json: bool = JSON,
    quiet: bool = QUIET,
) -> None:
    """Match luminance and spectra across pictures, as SHINE does.

    Every picture gets the mean histogram or the mean spectrum of all, or both. A stimulus set becomes a new
    set, whose originals are matched, too.
    """
    from stimgen.cli.matching_text import format_matching
    from stimgen.stimulus_set.store import PLAN, Store
    from stimgen.workflow.match import match_folder
    from stimgen.workflow.match_options import read_match_options
    from stimgen.workflow.match_set import match_set

    options = read_match_options(
        luminance=luminance,
        spectrum=spectrum,
        colour=colour,
        ssim=ssim,
        iterations=iterations,
        tolerance=tolerance,
        contrast=contrast,
        clipping=clipping,
        masks=masks,
        bits=bits,
        encoding=encoding,
        grey=grey,
    )
    if (folder / PLAN).is_file():
        report = match_set(Store.open(folder), output, options.for_set())
    else:
        report = match_folder(folder, output, options)
    if as_json:
        print_json(report.to_dict())
    elif not quiet:
        print_text(format_matching(report, output))
