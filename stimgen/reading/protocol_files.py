"""Defines fields that name a file of a protocol, relative to the protocol's folder, and its hash."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from stimgen.reading.model import Text


def _resolve_from_protocol(file: str, info: ValidationInfo) -> str:
    folder = (info.context or {}).get("folder")
    return str(Path(folder) / file) if folder is not None else file


ProtocolFile = Annotated[Text, Field(min_length=1), AfterValidator(_resolve_from_protocol)]
"""A file that a protocol names, relative to the protocol's folder."""
Sha256 = Annotated[Text, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in hexadecimal, lower case."""
