"""Imports plenoptic, whose pyramid and texture model are optional parts of this package."""

from __future__ import annotations

from importlib import metadata
from types import ModuleType

from stimgen.reading.errors import StimgenError
from stimgen.reading.extras import import_optional

PACKAGE = "plenoptic"


def import_plenoptic(purpose: str) -> ModuleType:
    """Return the plenoptic package, which `purpose`, as the user wrote it, needs.

    Raises `StimgenError` if it is not installed, or older than version 2.
    """
    package = import_optional(PACKAGE, PACKAGE, purpose)
    version = metadata.version(PACKAGE)
    if int(version.partition(".")[0]) < 2:
        raise StimgenError(
            f"{purpose} needs plenoptic 2 or later; {version} is installed",
            hint=f'install it with: pip install --upgrade "stimgen[{PACKAGE}]"',
        )
    return package
