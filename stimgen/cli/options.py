"""Options that commands about different subjects have alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
RootOption = Annotated[
    Path | None,
    typer.Option("--root", metavar="FOLDER", help="Sources may lie here too, not only beside the protocol."),
]
