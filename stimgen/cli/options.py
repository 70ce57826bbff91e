"""Defines the arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def output_option(metavar: str, text: str) -> Any:
    """Return the option `-o`, which says where a command writes."""
    return typer.Option("-o", "--output", metavar=metavar, help=text)


ProtocolArgument = Annotated[
    str, typer.Argument(metavar="PROTOCOL", help="A YAML file, or the name of a shipped protocol.")
]
FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="The stimulus set's folder.")]
ExperimentArgument = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="A YAML file, or the name of a shipped experiment.")
]
DataArgument = Annotated[Path, typer.Argument(metavar="DATA", help="The folder that `stimgen run` wrote to.")]

DeviceOption = Annotated[
    str, typer.Option("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Print only errors.")]
QuickOption = Annotated[
    bool, typer.Option("--quick", help="Use a small version of the protocol that takes a minute or two.")
]
RootOption = Annotated[
    Path | None,
    typer.Option("--root", metavar="FOLDER", help="Also allow source pictures from this folder."),
]
SessionOption = Annotated[
    str, typer.Option("--session", metavar="LABEL", help="The session's label: letters and digits.")
]
StimuliOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--stimuli",
        metavar="FOLDER",
        help="Use the set in this folder instead of the experiment's own; repeat it for several sets.",
    ),
]
WindowedOption = Annotated[
    bool, typer.Option("--windowed", help="Show a window instead of the full screen, for trying out.")
]
