"""Citations of a set: one file a format, with a function `render`; only the one asked for is imported."""

from __future__ import annotations

import importlib
import pkgutil

from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.citing import formats
from stimgen.stimulus_set.citing.citation import Citation, cited_set

__all__ = ["Citation", "cited_set", "format_names", "rendered"]


def format_names() -> list[str]:
    """Return the names of all formats."""
    return [info.name for info in pkgutil.iter_modules(formats.__path__)]


def rendered(citation: Citation, name: str) -> str:
    """Return a citation in a format.

    Raises
    ------
    StimgenError
        There is no such format.
    """
    names = format_names()
    if name not in names:
        raise StimgenError(f"there is no format {name!r} of citations", given=name, allowed=names)
    text: str = importlib.import_module(f"{formats.__name__}.{name}").render(citation)
    return text
