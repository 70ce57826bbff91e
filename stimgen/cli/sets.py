"""Commands about sets that have been made."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from stimgen.cli.options import DeviceOption, JsonOption, RootOption
from stimgen.cli.terminal import PROBLEM_FOUND, print_json, print_text

commands = typer.Typer()


@commands.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A set's folder.")],
    resynthesize: Annotated[
        int | None,
        typer.Option("--resynthesize", metavar="N", min=1, help="Make N stimuli again, and compare them."),
    ] = None,
    root: RootOption = None,
    device: DeviceOption = "auto",
    *,
    as_json: JsonOption = False,
) -> None:
    """Check every file of a set: hashes, ids, pictures, and what is derived from the records."""
    from stimgen.cli.display import format_resynthesis
    from stimgen.stimulus_set.store import Store
    from stimgen.stimulus_set.verify import verify_set
    from stimgen.workflow.verify import describe_verification

    found, remade = verify_set(Store.open(folder)), None
    if resynthesize is not None:
        from stimgen.workflow.resynthesize import resynthesize_stimuli as make_again

        remade = make_again(folder, resynthesize, device, root)
    summary = describe_verification(found, remade)
    if as_json:
        print_json(summary)
    else:
        for problem in found.problems:
            print_text(problem, error=True)
        for one in remade or ():
            print_text(format_resynthesis(one), error=one.problem is not None)
        verdict = "sound" if found.sound else f"problems found: {len(found.problems)}"
        print_text(f"{folder}: {found.checked} of {found.planned} stimuli checked: {verdict}")
    if not summary["sound"]:
        raise typer.Exit(PROBLEM_FOUND)


@commands.command()
def repair(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A set's folder.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Derive manifest, table, contact sheet and checksums of a set again, from its records."""
    from stimgen.workflow.repair import repair_set

    found, commands = repair_set(folder)
    if as_json:
        print_json({"done": found.done, "problems": found.left.problems, "commands": commands})
    else:
        for line in found.done or ["nothing was to be done"]:
            print_text(line)
        for problem in found.left.problems:
            print_text(problem, error=True)
        if commands:
            print_text(
                "\n".join(["to make again what cannot be repaired:", *(f"  {line}" for line in commands)])
            )
        verdict = "sound" if found.left.sound else f"problems left: {len(found.left.problems)}"
        print_text(f"{folder}: {found.left.checked} of {found.left.planned} stimuli checked: {verdict}")
    if not found.left.sound:
        raise typer.Exit(PROBLEM_FOUND)


@commands.command()
def merge(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER...", help="The parts; one, if all lie in one folder."),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="Default: the first folder.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make one set of parts that were made with `generate --shard`."""
    from stimgen.workflow.merge import merge_folders

    found, command = merge_folders(folders, output)
    if as_json:
        print_json({**asdict(found), "complete": found.complete, "command": command})
    else:
        for problem in found.problems:
            print_text(problem, error=True)
        print_text(
            f"{output or folders[0]}: {found.finished} of {found.planned} stimuli, {found.copied} copied"
        )
        if command is not None:
            print_text(f"to make what is missing: {command}", error=True)
    if found.problems or not found.complete:
        raise typer.Exit(PROBLEM_FOUND)


@commands.command()
def cite(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A set's folder.")],
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help="apa, bibtex, cff or methods; default: all."),
    ] = None,
) -> None:
    """Say how a set is cited, with a paragraph for the methods and the papers behind it."""
    from stimgen.workflow.cite import cite_set as citation_of

    text, notices = citation_of(folder, form)
    print_text(text.rstrip("\n"))
    for notice in notices:
        print_text(f"note: {notice}", error=True)


@commands.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A set's folder.")],
    form: Annotated[
        str,
        typer.Option("--format", metavar="NAME", help="One of those that `stimgen list` lists as exporters."),
    ],
    target: Annotated[
        Path, typer.Option("-o", "--output", metavar="TARGET", help="A new folder; a new file for zip.")
    ],
) -> None:
    """Hand a set on: one archive, BIDS, RO-Crate, Croissant, Frictionless, or conditions for PsychoPy."""
    from stimgen.workflow.export import export_set as write

    write(folder, form, target)
    print_text(str(target))


@commands.command()
def confounds(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A set's folder.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the table as CSV.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the table: a PNG, SVG or PDF file.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Tabulate luminance, contrast, colour, spectral slope and edges by condition."""
    from stimgen.cli.display import format_confounds
    from stimgen.workflow.confounds import tabulate_confounds

    rows = tabulate_confounds(folder, output, plot)
    if as_json:
        print_json(rows)
    else:
        print_text(format_confounds(rows))


@commands.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A set's folder.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Default: beside the set, FOLDER_report.html."),
    ] = None,
    most: Annotated[
        int | None,
        typer.Option("--most", metavar="N", min=1, help="Stimuli to show at the most; default: 5000."),
    ] = None,
) -> None:
    """Write a set as one page for a browser: warnings, confounds, how it was made, every stimulus."""
    from stimgen.report import MAX_STIMULI
    from stimgen.workflow.report import write_report as write

    page, size = write(folder, output, most or MAX_STIMULI)
    print_text(f"{page}: {size / 2**20:.1f} MB")


@commands.command()
def features(  # noqa: PLR0913 - an option of the command is an argument here
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A finished set's folder.")],
    network: Annotated[
        str, typer.Option("--network", help="Such as embedded, vgg19, squeezenet1_0.")
    ] = "embedded",
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="WEIGHTS", help="imagenet, random, or a file.")
    ] = None,
    depth: Annotated[
        str | None, typer.Option("--depth", metavar="DEPTH", help="Layers by the deepest; default: all.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Of the features; default: the network's.")
    ] = None,
    cells: Annotated[
        int, typer.Option("--cells", metavar="N", min=1, max=64, help="Of the grid, along a picture's side.")
    ] = 8,
    device: DeviceOption = "auto",
) -> None:
    """Compute features of a set's pictures, for the observer `model` of experiments."""
    from stimgen.workflow.features import FeatureOptions, compute_features

    made = compute_features(folder, FeatureOptions(network, weights, depth, name, cells, device))
    pictures, rows, columns, count = made.shape
    print_text(
        f"{folder / made.array.file}: {count} features of {pictures} pictures in {rows} x {columns} cells"
    )
