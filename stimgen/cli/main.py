"""The command line: arguments in, a workflow called, progress shown."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stimgen.cli.experiments import commands as experiment_commands
from stimgen.cli.options import DeviceOption, JsonOption, RootOption
from stimgen.cli.sets import commands as set_commands
from stimgen.cli.terminal import (
    INTERRUPTED,
    PROBLEM_FOUND,
    catch_termination,
    find_exit_code,
    print_json,
    print_text,
)

if TYPE_CHECKING:
    from stimgen.protocol.load import LoadedProtocol

app = typer.Typer(
    name="stimgen",
    help="Reproducible, citable texture and texform stimuli for vision science.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

# Without names, so that their commands stand among the others.
app.add_typer(set_commands)
app.add_typer(experiment_commands)

ProtocolArgument = Annotated[
    str, typer.Argument(metavar="PROTOCOL", help="A YAML file, or the name of a shipped protocol.")
]


QuickOption = Annotated[
    bool,
    typer.Option("--quick", help="Few small pictures, in a minute or two; the records say what was changed."),
]


@app.command()
def generate(  # noqa: PLR0913 - an option of the command is an argument here
    protocol: ProtocolArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="Default: sets/NAME.")
    ] = None,
    device: DeviceOption = "auto",
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", metavar="N", help="Stimuli made together.")
    ] = None,
    root: RootOption = None,
    shard: Annotated[
        str | None,
        typer.Option("--shard", metavar="I/N", help="Only the I-th of N parts; `stimgen merge` joins them."),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option("--dask", metavar="ADDRESS", help="Make it with the workers of a Dask scheduler."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", help="Make it with N processes, each with a GPU if any."),
    ] = None,
    *,
    quick: QuickOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Make the stimulus set of a protocol; run again, it makes what is missing."""
    from stimgen.cli.display import ProgressDisplay, format_generation
    from stimgen.execution.executor import GenerateOptions
    from stimgen.execution.shard import Shard
    from stimgen.workflow.generate import default_folder
    from stimgen.workflow.generate import generate_set as make

    part = None if shard is None else Shard.parse(shard)
    loaded = _load_protocol(protocol, root, quick=quick)
    folder = output or default_folder(loaded)
    options = GenerateOptions(device, batch_size, root, part, dask, workers)
    with ProgressDisplay(quiet=quiet) as display, catch_termination():
        try:
            progress = make(loaded, folder, options, display.show)
        except KeyboardInterrupt as stop:
            display.close()
            print_text(
                f"stopped; what is finished is kept in {folder}. Run the same command to go on.", error=True
            )
            raise typer.Exit(find_exit_code(stop)) from None
    if not quiet:
        print_text(
            "\n".join(
                [
                    *(f"quick: {change}" for change in loaded.changes),
                    format_generation(progress, folder, part),
                ]
            )
        )
    for failure in progress.failures:
        print_text(f"{failure.stimulus.name}: could not be made: {failure.reason}", error=True)
    if progress.failures:
        raise typer.Exit(PROBLEM_FOUND)


@app.command()
def plan(  # noqa: PLR0913 - an option of the command is an argument here
    protocol: ProtocolArgument,
    root: RootOption = None,
    *,
    quick: QuickOption = False,
    as_json: JsonOption = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Time some evaluations and say how long all take.")
    ] = False,
    device: DeviceOption = "auto",
    regions: Annotated[
        Path | None,
        typer.Option("--regions", metavar="FOLDER", help="Draw the pooling regions over the sources."),
    ] = None,
) -> None:
    """Show what a protocol stands for, before anything runs."""
    from stimgen.cli.display import format_plan
    from stimgen.workflow.plan import describe_plan
    from stimgen.workflow.regions import draw_regions

    loaded = _load_protocol(protocol, root, quick=quick)
    summary = describe_plan(loaded, root, device if probe else None)
    if regions is not None:
        drawn = draw_regions(loaded, regions, root)
        print_text(f"pictures of regions: {len(drawn)} in {regions}", error=True)
    if as_json:
        print_json(summary)
    else:
        print_text(format_plan(summary))


@app.command()
def show(  # noqa: PLR0913 - an option of the command is an argument here
    protocol: ProtocolArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="Default: show/STIMULUS.")
    ] = None,
    condition: Annotated[
        str | None, typer.Option("--condition", metavar="ID", help="Default: the first.")
    ] = None,
    source: Annotated[str | None, typer.Option("--source", metavar="ID", help="Default: the first.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Default: the first.")] = None,
    every: Annotated[
        int | None,
        typer.Option(
            "--every", metavar="N", min=1, help="Evaluations from one frame of the movie to the next."
        ),
    ] = None,
    device: DeviceOption = "auto",
    root: RootOption = None,
    *,
    quick: QuickOption = False,
) -> None:
    """Make one stimulus and draw feature maps, Gram matrices, losses and a movie."""
    from stimgen.workflow.show import ShowOptions
    from stimgen.workflow.show import show_stimulus as draw

    choice = ShowOptions(condition, source, seed, device, every, root)
    for file in draw(_load_protocol(protocol, root, quick=quick), choice, output, _print_tenths):
        print_text(str(file))


@app.command()
def schema(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: the standard output.")
    ] = None,
    *,
    experiment: Annotated[bool, typer.Option("--experiment", help="That of experiments.")] = False,
) -> None:
    """Write the JSON schema of protocols, or of experiments, for editors."""
    from stimgen.reading.files import write_file
    from stimgen.workflow.schema import format_experiment_schema, format_protocol_schema

    text = format_experiment_schema() if experiment else format_protocol_schema()
    if output is None:
        sys.stdout.write(text)
        return
    write_file(output, text.encode())


@app.command(name="list")
def list_members(*, as_json: JsonOption = False) -> None:
    """List what a protocol or an experiment can choose from, one line each; without torch, an experiment."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        pass
    else:
        from stimgen.workflow.list_members import find_members

    _print_sections(find_members(), as_json=as_json)


weights_app = typer.Typer(help="Make files of weights.", no_args_is_help=True)
app.add_typer(weights_app, name="weights")


@weights_app.callback()
def _weights() -> None:
    """Make files of weights."""


@weights_app.command()
def normalize(  # noqa: PLR0913 - an option of the command is an argument here
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Pictures, or skimage:NAME, each at its own size.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")],
    network: Annotated[str, typer.Option("--network", help="vgg11 to vgg19, or alexnet.")] = "vgg19",
    weights: Annotated[
        str, typer.Option("--weights", metavar="WEIGHTS", help="imagenet, random, or a file.")
    ] = "imagenet",
    pooling: Annotated[str, typer.Option("--pooling", help="average or maximum.")] = "average",
    until: Annotated[
        str | None, typer.Option("--until", metavar="LAYER", help="The deepest layer; default: all.")
    ] = None,
) -> None:
    """Measure each filter's mean activation, for weights that make it one (Gatys, Ecker & Bethge 2015)."""
    from stimgen.workflow.weights import NormalizationSettings
    from stimgen.workflow.weights import normalize_weights as measure

    sha256 = measure(NormalizationSettings(network, weights, pooling, until), images, output)
    print_text(f"{output}: sha256 {sha256}")


@app.command()
def doctor(*, as_json: JsonOption = False) -> None:
    """Say what is here: versions, devices, weights, places; safe to show to anybody."""
    from stimgen.workflow.doctor import examine_installation

    _print_sections(examine_installation(), as_json=as_json)


@app.command()
def bench(
    device: DeviceOption = "auto",
    size: Annotated[
        int | None,
        typer.Option("--size", metavar="PIXELS", help="Side of the picture; default: 256."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", help="Also measure N processes that run at the same time."),
    ] = None,
    *,
    as_json: JsonOption = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Measure little, to see whether it runs; the figures mean little.")
    ] = False,
) -> None:
    """Measure how fast stimgen is on this computer, and how close that comes to what the computer can do."""
    from stimgen.benchmark.options import BenchOptions
    from stimgen.cli.bench import format_benchmark
    from stimgen.workflow.bench import run_bench as measure

    options = BenchOptions(device, size, workers, quick)
    found = measure(options, lambda text: print_text(f"measuring: {text}", error=True))
    if as_json:
        print_json(found)
    else:
        print_text(format_benchmark(found))


def _load_protocol(protocol: str, root: Path | None, *, quick: bool) -> LoadedProtocol:
    from stimgen.protocol.load import load_protocol
    from stimgen.protocol.quick import make_quick_protocol

    loaded = load_protocol(protocol)
    return make_quick_protocol(loaded, root) if quick else loaded


def main() -> None:
    """Run the command line; a mistake of the user's ends with a message and exit code 2."""
    from stimgen.reading.errors import StimgenError

    _escape_unprintable_letters()
    _limit_spinning()
    try:
        app(prog_name="stimgen")
    except StimgenError as error:
        print_text(str(error), error=True)
        sys.exit(error.exit_code)
    except MemoryError:
        print_text("not enough memory; what is finished is kept", error=True)
        sys.exit(StimgenError.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe went away (`stimgen list | head`).
        sys.stderr.close()
        sys.exit(PROBLEM_FOUND)


def _limit_spinning() -> None:
    """Let threads that wait for others give up their cores soon; OpenMP reads it when torch is imported.

    As it is by default they spin for longer than others need to compute: two runs at once on two cores took
    eleven times as long as with this, and one alone no less (docs/performance.md).
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def _escape_unprintable_letters() -> None:
    """Write out letters that a terminal or a file of another encoding has none for, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _print_sections(headed: dict[str, dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        print_json(headed)
        return
    for heading, entries in headed.items():
        print_text(heading)
        width = max((len(name) for name in entries), default=0)
        for name, line in entries.items():
            print_text(f"  {name:<{width}}  {line}")


def _print_tenths(step: Any) -> None:
    """Say every now and then how many evaluations were made."""
    if step.evaluation % max(1, step.total // 10) == 0:
        print_text(f"{step.evaluation} of {step.total} evaluations", error=True)
