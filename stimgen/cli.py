"""The command line: arguments in, a workflow called, progress shown."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from stimgen.workflow.generate import Progress

FINDING, MISTAKE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="stimgen",
    help="Reproducible, citable texture and texform stimuli for vision science.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ProtocolArgument = Annotated[
    str, typer.Argument(metavar="PROTOCOL", help="A YAML file, or the name of a shipped protocol.")
]
RootOption = Annotated[
    Path | None,
    typer.Option("--root", metavar="FOLDER", help="Sources may lie here too, not only beside the protocol."),
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


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
    *,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Make the stimulus set of a protocol; run again, it makes what is missing."""
    from stimgen.protocol.load import load_protocol
    from stimgen.workflow.generate import Options, default_folder
    from stimgen.workflow.generate import generate as make

    loaded = load_protocol(protocol)
    folder = output or default_folder(loaded)
    options = Options(device=device, batch_size=batch_size, root=root)
    with _Display(quiet=quiet) as display:
        try:
            progress = make(loaded, folder, options, display.show)
        except KeyboardInterrupt:
            display.close()
            _say(f"stopped; what is finished is kept in {folder}. Run the same command to go on.", error=True)
            raise typer.Exit(INTERRUPTED) from None
    if not quiet:
        _say(_summary(progress, folder))
    for failure in progress.failures:
        _say(f"{failure.stimulus.name}: could not be made: {failure.reason}", error=True)
    if progress.failures:
        raise typer.Exit(FINDING)


@app.command()
def plan(
    protocol: ProtocolArgument,
    root: RootOption = None,
    *,
    as_json: JsonOption = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Time some evaluations and say how long all take.")
    ] = False,
    device: DeviceOption = "auto",
) -> None:
    """Show what a protocol stands for, before anything runs."""
    from stimgen.protocol.load import load_protocol
    from stimgen.workflow.plan import plan_summary

    summary = plan_summary(load_protocol(protocol), root, device if probe else None)
    if as_json:
        _print_json(summary)
    else:
        _print_plan(summary)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A set's folder.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Check every hash and id of a set."""
    from stimgen.workflow.verify import verify_folder

    found = verify_folder(folder)
    if as_json:
        _print_json(
            {
                "sound": found.sound,
                "planned": found.planned,
                "checked": found.checked,
                "problems": found.problems,
            }
        )
    else:
        for problem in found.problems:
            _say(problem, error=True)
        verdict = "sound" if found.sound else f"problems found: {len(found.problems)}"
        _say(f"{folder}: {found.checked} of {found.planned} stimuli checked: {verdict}")
    if not found.sound:
        raise typer.Exit(FINDING)


@app.command()
def schema(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: the standard output.")
    ] = None,
) -> None:
    """Write the JSON schema of protocols, for editors."""
    from stimgen.reading.errors import StimgenError
    from stimgen.workflow.schema import schema_text

    if output is None:
        sys.stdout.write(schema_text())
        return
    try:
        output.write_text(schema_text(), encoding="utf-8")
    except OSError as error:
        raise StimgenError(f"cannot be written: {error.strerror}", where=output) from None


@app.command(name="list")
def list_members(*, as_json: JsonOption = False) -> None:
    """List what a protocol can choose from, one line each."""
    from stimgen.workflow.list_members import members

    _print_headed(members(), as_json=as_json)


@app.command()
def doctor(*, as_json: JsonOption = False) -> None:
    """Say what is here: versions, devices, weights, places; safe to show to anybody."""
    from stimgen.workflow.doctor import examine

    _print_headed(examine(), as_json=as_json)


def main() -> None:
    """Run the command line; a mistake of the user's ends with a message and exit code 2."""
    from stimgen.reading.errors import StimgenError

    _print_whatever_it_is()
    try:
        app(prog_name="stimgen")
    except StimgenError as error:
        _say(str(error), error=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe went away (`stimgen list | head`).
        sys.stderr.close()
        sys.exit(FINDING)


def _print_whatever_it_is() -> None:
    """Write out letters that a terminal or a file of another encoding has none for, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Display:
    """A bar where there is a terminal, plain lines now and then where there is none."""

    seconds_between_lines = 10.0

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console

        self._quiet = quiet
        self._console: Console = Console(stderr=True, highlight=False)
        self._bar: Any = None
        self._last = 0.0

    def __enter__(self) -> _Display:
        if not self._quiet and self._console.is_terminal:
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(BarColumn(), TextColumn("{task.description}"), console=self._console)
            self._bar.start()
            self._task = self._bar.add_task("planning", total=None)
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def show(self, progress: Progress) -> None:
        """Show how far it is."""
        if self._bar is not None:
            done = progress.there + progress.made + progress.batch * progress.fraction
            self._bar.update(
                self._task, total=progress.planned, completed=done, description=_progress_line(progress)
            )
        elif not self._quiet and progress.seconds - self._last >= self.seconds_between_lines:
            self._last = progress.seconds
            self._console.print(_progress_line(progress), markup=False)


def _progress_line(progress: Progress) -> str:
    from datetime import datetime, timedelta

    done = progress.there + progress.made
    line = f"{done}/{progress.planned} stimuli, loss {progress.loss:.4g}"
    if progress.seconds_per_stimulus is None or progress.remaining is None:
        return line
    end = datetime.now() + timedelta(seconds=progress.remaining)
    return f"{line}, {progress.seconds_per_stimulus:.3g} s each, done at {end:%H:%M:%S}"


def _summary(progress: Progress, folder: Path) -> str:
    from stimgen.stimulus_set.store import IMAGES, MANIFEST, SHEET

    lines = []
    if progress.there:
        lines.append(f"{progress.there} of {progress.planned} stimuli were there already")
    lines.append(f"{progress.made} stimuli made in {progress.seconds:.0f} s")
    lines += [f"pictures:      {folder / IMAGES}", f"contact sheet: {folder / SHEET}"]
    lines.append(f"manifest:      {folder / MANIFEST}")
    return "\n".join(lines)


def _print_plan(summary: dict[str, Any]) -> None:
    lines = [f"{summary['protocol']}: {len(summary['stimuli'])} stimuli, about {_bytes(summary['bytes'])}"]
    for source in summary["sources"]:
        width, height = source["size"]
        kind = "grey" if source["channels"] == 1 else "colour"
        lines.append(f"source {source['id']}: {source['file']}, {width} x {height}, {kind}")
    for condition in summary["conditions"]:
        lines += _condition_lines(condition)
    _say("\n".join(lines))


def _condition_lines(condition: dict[str, Any]) -> list[str]:
    time = f", about {condition['seconds']:.3g} s" if "seconds" in condition else ""
    lines = [
        f"condition {condition['id']}: {condition['stimuli']} stimuli, "
        f"{condition['parameters']:,} parameters, {condition['evaluations']} evaluations each, "
        f"{_bytes(condition['bytes'])} on disk, {_bytes(condition['memory'])} of memory each{time}"
    ]
    for term in condition["terms"]:
        layers = ", ".join(f"{name} x {weight:.3g}" for name, weight in term["layers"].items())
        lines.append(f"  {term['weight']:g} x {_brief(term['statistic'])} of {_brief(term['network'])}")
        lines += [f"    layers {layers}", f"    regions {_brief(term['regions'])}"]
    for schedule in condition["schedules"]:
        scales = ", then ".join(f"{count} at {width} x {height}" for width, height, count in schedule)
        lines.append(f"  evaluations: {scales}")
    settings = {key: value for key, value in condition["settings"].items() if key != "method"}
    lines.append("  " + ", ".join(f"{key} {_brief(value)}" for key, value in settings.items()))
    return lines


def _brief(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    rest = ", ".join(f"{key} {_brief(inner)}" for key, inner in value.items() if key != "name")
    return f"{value.get('name', '')} ({rest})" if rest else str(value.get("name", ""))


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"


def _print_headed(headed: dict[str, dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        _print_json(headed)
        return
    for heading, entries in headed.items():
        _say(heading)
        width = max(len(name) for name in entries)
        for name, line in entries.items():
            _say(f"  {name:<{width}}  {line}")


def _print_json(value: Any) -> None:
    # In ASCII, so that it is right in whatever encoding a pipe or a file has.
    typer.echo(json.dumps(value, indent=1))


def _say(text: str, *, error: bool = False) -> None:
    typer.echo(text, err=error)
