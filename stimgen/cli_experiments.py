"""Commands about experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()

ExperimentArgument = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="A YAML file, or the name of a shipped experiment.")
]
ParticipantOption = Annotated[
    str, typer.Option("--participant", metavar="LABEL", help="Letters and digits, such as 01.")
]
SessionOption = Annotated[str, typer.Option("--session", metavar="LABEL", help="Letters and digits.")]
StimuliOption = Annotated[
    list[Path] | None,
    typer.Option("--stimuli", metavar="FOLDER", help="A set's folder, instead of those that the file names."),
]
DataArgument = Annotated[Path, typer.Argument(metavar="DATA", help="The folder of an experiment's data.")]
