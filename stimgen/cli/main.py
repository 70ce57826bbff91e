"""Gathers the commands of the command line, and turns errors into messages and exit codes."""

from __future__ import annotations

import io
import os
import sys
from itertools import groupby
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from stimgen.cli.analysis import commands as analysis_commands
from stimgen.cli.experiment_data import commands as data_commands
from stimgen.cli.experiments import commands as experiment_commands
from stimgen.cli.installation import commands as installation_commands
from stimgen.cli.matching import commands as matching_commands
from stimgen.cli.prospects import commands as prospect_commands
from stimgen.cli.protocols import commands as protocol_commands
from stimgen.cli.sets import commands as set_commands
from stimgen.cli.sources import commands as source_commands
from stimgen.cli.terminal import INTERRUPTED, PROBLEM_FOUND, print_text

# The headings of the help text, by the module that a command is defined in.
HEADINGS = {
    "stimgen.cli.sources": "Make stimulus sets",
    "stimgen.cli.protocols": "Make stimulus sets",
    "stimgen.cli.matching": "Make stimulus sets",
    "stimgen.cli.sets": "Use stimulus sets",
    "stimgen.cli.prospects": "Before anyone is tested",
    "stimgen.cli.experiments": "Run experiments",
    "stimgen.cli.experiment_data": "Use data of experiments",
    "stimgen.cli.analysis": "Analyze data",
    "stimgen.cli.installation": "Other commands",
}


class GroupedCommands(TyperGroup):
    """Lists the commands in the help text under headings."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands under each heading, with the first sentence of their help."""
        names = self.list_commands(ctx)
        limit = formatter.width - 6 - max(map(len, names))
        for heading, group in groupby(names, lambda name: HEADINGS[self.commands[name].callback.__module__]):
            with formatter.section(heading):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(limit)) for name in group])


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        print_text(f"stimgen {metadata.version('stimgen')}")
        raise typer.Exit


app = typer.Typer(
    name="stimgen",
    help="Reproducible, citable texture and texform stimuli for vision science.",
    epilog="stimgen COMMAND --help explains a command. Start with: stimgen generate quickstart",
    cls=GroupedCommands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def take_options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


# Added without names, so that all commands stand side by side.
for group in (
    source_commands,
    protocol_commands,
    matching_commands,
    set_commands,
    prospect_commands,
    experiment_commands,
    data_commands,
    analysis_commands,
    installation_commands,
):
    app.add_typer(group)


def main() -> None:
    """Run the command line; a user's mistake ends with a message and exit code 2."""
    from stimgen.reading.errors import StimgenError

    _escape_unprintable_letters()
    _limit_spinning()
    try:
        app(prog_name="stimgen")
    except StimgenError as error:
        print_text(str(error), error=True)
        sys.exit(error.exit_code)
    except MemoryError:
        print_text("out of memory; finished work is kept", error=True)
        sys.exit(StimgenError.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe went away (`stimgen list | head`).
        sys.stderr.close()
        sys.exit(PROBLEM_FOUND)


def _limit_spinning() -> None:
    """Make threads that wait give up their cores soon; OpenMP reads this when torch is imported.

    By default they spin for longer than others need to compute. Two runs at once on two cores took eleven
    times as long then, while a single run takes no longer with this (docs/performance.md).
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def _escape_unprintable_letters() -> None:
    """Write letters as escapes where a terminal's or a file's encoding lacks them, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
