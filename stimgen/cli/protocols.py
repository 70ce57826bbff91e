"""Defines the commands that take a protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from stimgen.cli.options import (
    DEVICE,
    JSON,
    NETWORK,
    PROTOCOL,
    QUICK,
    QUIET,
    ROOT,
    TRUST,
    WEIGHTS,
    flag,
    option,
)
from stimgen.cli.terminal import (
    PROBLEM_FOUND,
    catch_termination,
    find_exit_code,
    print_json,
    print_problems,
    print_result,
    print_text,
)

if TYPE_CHECKING:
    from stimgen.protocol.load import LoadedProtocol

commands = typer.Typer()


@commands.command()
def plan(
    protocol: str = PROTOCOL,
    root: Path | None = ROOT,
    regions: Path | None = option("--regions", "FOLDER", "Draw the pooling regions into this folder."),
    device: str = DEVICE,
    network: str | None = NETWORK,
    weights: str | None = WEIGHTS,
    trust: list[Path] | None = TRUST,
    *,
    probe: bool = flag("--probe", "Measure some evaluations and estimate the time."),
    quick: bool = QUICK,
    as_json: bool = JSON,
) -> None:
    """Preview what a protocol will generate.

    Lists conditions, stimuli, numbers of parameters, disk space and memory. Generates nothing.
    """
    _check_readable(protocol)
    from stimgen.cli.plan_text import format_plan
    from stimgen.workflow.plan import describe_plan
    from stimgen.workflow.regions import draw_regions

    _trust_code(trust)
    loaded = _load_protocol(protocol, root, network, weights, quick=quick)
    summary = describe_plan(loaded, root, device if probe else None)
    if regions is not None:
        drawn = draw_regions(loaded, regions, root)
        print_text(f"{len(drawn)} pictures of regions written to {regions}", error=True)
    print_result(summary, format_plan, as_json=as_json)


@commands.command()
def generate(
    protocol: str = PROTOCOL,
    output: Path | None = option("-o, --output", "FOLDER", "The set's folder. [default: sets/NAME]"),
    device: str = DEVICE,
    batch_size: int | None = option("--batch-size", "N", "Stimuli computed together. [default: what fits]"),
    root: Path | None = ROOT,
    shard: str | None = option("--shard", "I/N", "Make only part I of N; `stimgen merge` joins them."),
    dask: str | None = option("--dask", "ADDRESS", "Use the workers of this Dask scheduler."),
    workers: int | None = option("--workers", "N", "Use N processes on this computer, one per GPU if any."),
    network: str | None = NETWORK,
    weights: str | None = WEIGHTS,
    trust: list[Path] | None = TRUST,
    *,
    quick: bool = QUICK,
    as_json: bool = JSON,
    quiet: bool = QUIET,
) -> None:
    """Generate the stimulus set of a protocol.

    Run the same command again to resume after an interruption: only missing stimuli are made.
    """
    _check_readable(protocol)
    from stimgen.cli.display import ProgressDisplay, describe_generation, format_generation
    from stimgen.execution.executor import GenerateOptions
    from stimgen.execution.shard import Shard
    from stimgen.workflow.generate import default_folder, generate_set

    part = None if shard is None else Shard.parse(shard)
    _trust_code(trust)
    loaded = _load_protocol(protocol, root, network, weights, quick=quick)
    folder = output or default_folder(loaded)
    options = GenerateOptions(device, batch_size, root, part, dask, workers)
    with ProgressDisplay(quiet=quiet or as_json) as display, catch_termination():
        try:
            progress = generate_set(loaded, folder, options, display.show)
        except KeyboardInterrupt as stop:
            display.close()
            print_text(
                f"stopped; finished stimuli are kept in {folder}. Rerun the same command to resume.",
                error=True,
            )
            raise typer.Exit(find_exit_code(stop)) from None
    if as_json:
        print_json(describe_generation(progress, folder))
    elif not quiet:
        for change in (loaded.substitution or {}).get("changes", ()):
            print_text(f"network: {change}")
        for change in loaded.changes:
            print_text(f"quick: {change}")
        print_text(format_generation(progress, folder, part))
    print_problems(
        f"{failure.stimulus.name}: could not be made: {failure.reason}" for failure in progress.failures
    )
    if progress.failures:
        raise typer.Exit(PROBLEM_FOUND)


@commands.command()
def show(
    protocol: str = PROTOCOL,
    output: Path | None = option("-o, --output", "FOLDER", "Folder of the figures. [default: show/STIMULUS]"),
    condition: str | None = option("--condition", "ID", "The stimulus's condition. [default: the first]"),
    source: str | None = option("--source", "ID", "Its source. [default: the first]"),
    seed: int | None = option("--seed", "N", "Its seed. [default: the first]"),
    every: int | None = option("--every", "N", "Evaluations between two frames of the movie.", min=1),
    device: str = DEVICE,
    root: Path | None = ROOT,
    network: str | None = NETWORK,
    weights: str | None = WEIGHTS,
    trust: list[Path] | None = TRUST,
    *,
    quick: bool = QUICK,
    quiet: bool = QUIET,
) -> None:
    """Make one stimulus and draw what the model sees.

    Writes figures of feature maps, Gram matrices and losses, and a movie of the synthesis.
    """
    _check_readable(protocol)
    from stimgen.workflow.show import ShowOptions, show_stimulus

    options = ShowOptions(condition, source, seed, device, every, root)
    report = None if quiet else _print_tenths
    _trust_code(trust)
    files = show_stimulus(
        _load_protocol(protocol, root, network, weights, quick=quick), options, output, report
    )
    if not quiet:
        print_text("\n".join(map(str, files)))


def _check_readable(protocol: str) -> None:
    """Refuse a protocol that is no file or no YAML at once, before torch is imported, which takes seconds."""
    from stimgen.reading.document import read_document
    from stimgen.reading.shipped import PROTOCOLS

    read_document(PROTOCOLS.find(protocol))


def _trust_code(files: list[Path] | None) -> None:
    if files:
        from stimgen.networks.trusted_code import trust

        trust(*files)


def _load_protocol(
    protocol: str, root: Path | None, network: str | None, weights: str | None, *, quick: bool
) -> LoadedProtocol:
    from stimgen.protocol.load import load_protocol
    from stimgen.protocol.quick import make_quick_protocol
    from stimgen.protocol.substitution import NetworkChoice, substitute_network

    loaded = load_protocol(protocol)
    if network is not None or weights is not None:
        loaded = substitute_network(loaded, NetworkChoice(network, weights))
    return make_quick_protocol(loaded, root) if quick else loaded


def _print_tenths(step: Any) -> None:
    """Print the progress after every tenth of the evaluations."""
    if step.evaluation % max(1, step.total // 10) == 0:
        print_text(f"{step.evaluation} of {step.total} evaluations", error=True)
