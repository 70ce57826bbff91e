"""Defines the commands about this installation and what it offers."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from stimgen.cli.options import DEVICE, JSON, QUIET, argument, flag, option
from stimgen.cli.terminal import print_result, print_text
from stimgen.cli.text import format_sections

commands = typer.Typer()


@commands.command(name="list")
def list_members(*, as_json: bool = JSON) -> None:
    """List what protocols and experiments can use.

    Lists networks, statistics, optimisers, paradigms and so on, and the protocols and experiments that are
    shipped. Without torch, only what experiments can use.
    """
    from importlib.util import find_spec

    if find_spec("torch") is None:
        from stimgen.workflow.list_experiment_members import find_experiment_members as find_members
    else:
        from stimgen.workflow.list_members import find_members

    print_result(find_members(), format_sections, as_json=as_json)


@commands.command()
def layers(
    network: str = argument("NETWORK", "A network, torchvision:MODEL, timm:MODEL, or a protocol (YAML)."),
    size: int = option("--size", "PIXELS", "Side of the pictures.", 224, min=1, max=4096),
    *,
    as_json: bool = JSON,
) -> None:
    """List the layers of a network.

    Shows channels, positions, stride, receptive field and parameters of a Gram matrix for square pictures.
    """
    from stimgen.cli.layers_text import format_layers
    from stimgen.workflow.layers import describe_layers

    found = describe_layers(network, size)
    print_result([one.to_dict() for one in found] if as_json else found, format_layers, as_json=as_json)


@commands.command()
def schema(
    output: Path | None = option(
        "-o, --output", "FILE", "Write to this file. [default: the standard output]"
    ),
    *,
    experiment: bool = flag("--experiment", "The schema of experiments instead of protocols."),
) -> None:
    """Print the JSON schema of protocols or experiments.

    Your editor can use it to complete and check what you type.
    """
    from stimgen.reading.files import write_file
    from stimgen.workflow.schema import format_experiment_schema, format_protocol_schema

    text = format_experiment_schema() if experiment else format_protocol_schema()
    if output is None:
        sys.stdout.write(text)
    else:
        write_file(output, text.encode())


@commands.command()
def doctor(*, as_json: bool = JSON) -> None:
    """Show versions, devices, weights and folders.

    Include this in bug reports: it names no user, computer or private folder.
    """
    from stimgen.workflow.doctor import examine_installation

    print_result(examine_installation(), format_sections, as_json=as_json)


weights_commands = typer.Typer(help="Make files of weights.", no_args_is_help=True)
commands.add_typer(weights_commands, name="weights")


@weights_commands.callback()
def _weights() -> None:
    """Make files of weights."""


@weights_commands.command()
def normalize(
    images: list[str] = argument("IMAGE...", "Pictures (files, or skimage:NAME), each at its own size."),
    output: Path = option("-o, --output", "FILE", "The file of mean activations to write.", ...),
    network: str = option("--network", "NETWORK", "vgg11, vgg13, vgg16, vgg19 or alexnet.", default="vgg19"),
    weights: str = option(
        "--weights", "WEIGHTS", "imagenet, random, or a file of weights.", default="imagenet"
    ),
    pooling: str = option("--pooling", "POOLING", "average or maximum.", default="average"),
    until: str | None = option("--until, --depth", "LAYER", "The deepest layer. [default: all layers]"),
) -> None:
    """Measure the mean activation of every filter.

    With the file, `weights: normalised` rescales a network so that every filter's mean activation is one
    (Gatys, Ecker & Bethge 2015).
    """
    from stimgen.workflow.weights import NormalizationSettings, normalize_weights

    sha256 = normalize_weights(NormalizationSettings(network, weights, pooling, until), images, output)
    print_text(f"{output}: sha256 {sha256}")


@commands.command()
def bench(
    device: str = DEVICE,
    size: int | None = option("--size", "PIXELS", "Side of the picture. [default: 256]"),
    workers: int | None = option("--workers", "N", "Also measure N processes that run at the same time."),
    *,
    quick: bool = flag("--quick", "Measure little, only to see whether it runs."),
    as_json: bool = JSON,
    quiet: bool = QUIET,
) -> None:
    """Measure how fast stimgen is on this computer.

    Also measures how close that comes to what the computer can do.
    """
    from stimgen.benchmark.options import BenchOptions
    from stimgen.cli.bench_text import format_benchmark
    from stimgen.workflow.bench import run_bench

    def notify(part: str) -> None:
        if not quiet:
            print_text(f"measuring: {part}", error=True)

    found = run_bench(BenchOptions(device, size, workers, quick), notify)
    print_result(found, format_benchmark, as_json=as_json)
