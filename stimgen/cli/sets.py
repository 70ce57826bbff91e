"""Defines the commands that take the folder of a stimulus set."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from stimgen.cli.options import DEVICE, FOLDER, JSON, QUIET, ROOT, TRUST, argument, option
from stimgen.cli.terminal import PROBLEM_FOUND, print_json, print_problems, print_result, print_text

if TYPE_CHECKING:
    from stimgen.stimulus_set.file_checker import Verification
    from stimgen.workflow.resynthesis_comparison import ResynthesisResult

commands = typer.Typer()


@commands.command()
def verify(
    folder: Path = FOLDER,
    resynthesize: int | None = option("--resynthesize", "N", "Make N stimuli again and compare them.", min=1),
    root: Path | None = ROOT,
    device: str = DEVICE,
    trust: list[Path] | None = TRUST,
    *,
    as_json: bool = JSON,
    quiet: bool = QUIET,
) -> None:
    """Check every file of a stimulus set.

    Compares hashes, ids, pictures and derived files with the records. The exit code is 1 after a problem.
    """
    from stimgen.cli.set_text import format_resynthesis, format_verdict
    from stimgen.stimulus_set.store import Store
    from stimgen.stimulus_set.verify import verify_set

    found, results = verify_set(Store.open(folder)), None
    if resynthesize is not None:
        from stimgen.networks.trusted_code import trust as trust_code
        from stimgen.workflow.resynthesize import resynthesize_stimuli

        trust_code(*(trust or ()))
        results = resynthesize_stimuli(folder, resynthesize, device, root)
    failed = not found.sound or any(result.problem for result in results or ())
    if as_json:
        print_json(_describe_verification(found, results) | {"sound": not failed})
    else:
        print_problems(found.problems)
        for result in results or ():
            if not quiet or result.problem:
                print_text(format_resynthesis(result), error=result.problem is not None)
        if not quiet:
            print_text(format_verdict(folder, found))
    if failed:
        raise typer.Exit(PROBLEM_FOUND)


def _describe_verification(found: Verification, results: list[ResynthesisResult] | None) -> dict[str, Any]:
    keys = ("sound", "planned", "checked", "problems")
    described = {key: getattr(found, key) for key in keys}
    if results is not None:
        described["resynthesized"] = [asdict(one) | {"compared": one.compared} for one in results]
    return described


@commands.command()
def repair(folder: Path = FOLDER, *, as_json: bool = JSON) -> None:
    """Rebuild damaged files of a stimulus set from its records.

    Rebuilds the manifest, table, contact sheet and checksums. For damaged pictures and records it prints
    the commands that regenerate them.
    """
    from stimgen.cli.set_text import format_verdict
    from stimgen.workflow.repair import repair_set

    found, commands = repair_set(folder)
    if as_json:
        print_json({"done": found.done, "problems": found.left.problems, "commands": commands})
    else:
        print_text("\n".join(found.done or ["nothing to repair"]))
        print_problems(found.left.problems)
        if commands:
            print_text("\n  ".join(["these commands regenerate the rest:", *commands]))
        print_text(format_verdict(folder, found.left))
    if not found.left.sound:
        raise typer.Exit(PROBLEM_FOUND)


@commands.command()
def merge(
    folders: list[Path] = argument("FOLDER...", "The folders of the parts; one, if they share a folder."),
    output: Path | None = option("-o, --output", "FOLDER", "The merged set. [default: the first folder]"),
    *,
    as_json: bool = JSON,
) -> None:
    """Join the parts made by `generate --shard`."""
    from stimgen.workflow.merge import merge_folders

    found, command = merge_folders(folders, output)
    if as_json:
        print_json({**asdict(found), "complete": found.complete, "command": command})
    else:
        print_problems(found.problems)
        place = output or folders[0]
        print_text(f"{place}: {found.finished} of {found.planned} stimuli are here, {found.copied} copied")
        if command is not None:
            print_text(f"to make the missing stimuli, run: {command}", error=True)
    if found.problems or not found.complete:
        raise typer.Exit(PROBLEM_FOUND)


@commands.command()
def cite(
    folder: Path = FOLDER,
    form: str | None = option("--format", "FORMAT", "apa, bibtex, cff or methods. [default: all]"),
) -> None:
    """Print how to cite a stimulus set.

    Prints citations, a paragraph for the methods section, and the papers behind every choice.
    """
    from stimgen.workflow.cite import cite_set

    text, notices = cite_set(folder, form)
    print_text(text.rstrip("\n"))
    print_problems(f"note: {notice}" for notice in notices)


@commands.command()
def export(
    folder: Path = FOLDER,
    form: str = option(
        "--format", "FORMAT", "For example zip or bids; `stimgen list` shows all.", default=...
    ),
    target: Path = option("-o, --output", "TARGET", "A new folder, or a new zip file.", ...),
) -> None:
    """Write a stimulus set in another format."""
    from stimgen.workflow.export import export_set

    export_set(folder, form, target)
    print_text(str(target))


@commands.command()
def confounds(
    folder: Path = FOLDER,
    output: Path | None = option("-o, --output", "FILE", "Also write the table to this file, as CSV."),
    plot: Path | None = option("--plot", "FILE", "Draw the table, as a PNG, SVG or PDF file."),
    *,
    as_json: bool = JSON,
) -> None:
    """Compare low-level image measures between conditions.

    The measures are luminance, contrast, colour, spectral slope and edges.
    """
    from stimgen.cli.set_text import format_confounds
    from stimgen.workflow.confounds import tabulate_confounds

    print_result(tabulate_confounds(folder, output, plot), format_confounds, as_json=as_json)


@commands.command()
def report(
    folder: Path = FOLDER,
    output: Path | None = option("-o, --output", "FILE", "The page. [default: FOLDER_report.html]"),
    most: int | None = option("--most", "N", "Show at most N stimuli. [default: 5000]", min=1),
) -> None:
    """Write one web page about a stimulus set.

    It shows every stimulus, warnings, confounds and how the set was made.
    """
    from stimgen.report import MAX_STIMULI
    from stimgen.workflow.report import write_report

    page, size = write_report(folder, output, most or MAX_STIMULI)
    print_text(f"{page}: {size / 2**20:.1f} MB")


@commands.command()
def features(
    folder: Path = FOLDER,
    network: str = option(
        "--network", "NETWORK", "embedded, vgg19, torchvision:MODEL ...", default="embedded"
    ),
    weights: str | None = option("--weights", "WEIGHTS", "imagenet, random, or a file of weights."),
    depth: str | None = option("--depth", "DEPTH", "The deepest layer to use. [default: all layers]"),
    name: str | None = option("--name", "NAME", "Name of the features. [default: the network's]"),
    cells: int = option("--cells", "N", "Average maps in a grid of N x N cells.", 8, min=1, max=64),
    statistic: str = option("--statistic", "NAME", "mean, or moments: also spatial variance.", "mean"),
    device: str = DEVICE,
) -> None:
    """Store a network's features of all pictures in a set.

    The observer `model` of experiments answers by these features. The set must be finished.
    """
    from stimgen.workflow.features import FeatureOptions, compute_features, parse_statistic

    made = compute_features(
        folder, FeatureOptions(network, weights, depth, name, cells, device, parse_statistic(statistic))
    )
    pictures, rows, columns, count = made.shape
    print_text(
        f"{folder / made.array.file}: {count} features of {pictures} pictures in {rows} x {columns} cells"
    )
