"""Defines the arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def option(names: str, metavar: str, text: str, **settings: Any) -> Any:
    """Return an option with a value; `names` lists all its names, separated by commas."""
    return typer.Option(*names.split(", "), metavar=metavar, help=text, **settings)


ProtocolArgument = Annotated[
    str, typer.Argument(metavar="PROTOCOL", help="A YAML file, or the name of a shipped protocol.")
]
FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="The stimulus set's folder.")]
ExperimentArgument = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="A YAML file, or the name of a shipped experiment.")
]
DataArgument = Annotated[Path, typer.Argument(metavar="DATA", help="The folder that `stimgen run` wrote to.")]

DeviceOption = Annotated[str, option("--device", "DEVICE", "auto, cpu, cuda, cuda:N or mps.")]
LABEL_HELP = "The participant's label: letters and digits, for example 01."
ParticipantOption = Annotated[str, option("--participant", "LABEL", LABEL_HELP)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Print only errors.")]
QuickOption = Annotated[
    bool, typer.Option("--quick", help="Use a small version of the protocol that takes a minute or two.")
]
RootOption = Annotated[
    Path | None,
    option("--root", "FOLDER", "Also allow source pictures from this folder."),
]
SessionOption = Annotated[str, option("--session", "LABEL", "The session's label: letters and digits.")]
StimuliOption = Annotated[
    list[Path] | None,
    option(
        "--stimuli",
        "FOLDER",
        "Use the set in this folder instead of the experiment's own; repeatable.",
    ),
]
WindowedOption = Annotated[
    bool, typer.Option("--windowed", help="Show a window instead of the full screen, for trying out.")
]
