"""Renders citations of a set: one module per format, with a function `render`."""

from __future__ import annotations

import importlib
import pkgutil

from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.citing import formats
from stimgen.stimulus_set.citing.citation import Citation, read_citation

__all__ = ["Citation", "read_citation", "list_citation_formats", "render_citation"]


def list_citation_formats() -> list[str]:
    """Return the names of all formats."""
    return [info.name for info in pkgutil.iter_modules(formats.__path__)]


def render_citation(citation: Citation, name: str) -> str:
    """Return a citation in a format; raise `StimgenError` where there is no such format."""
    names = list_citation_formats()
    if name not in names:
        raise StimgenError(f"there is no format {name!r} of citations", given=name, allowed=names)
    text: str = importlib.import_module(f"{formats.__name__}.{name}").render(citation)
    return text
