"""Holds the observers, who answer the trials; each is a module with `make`, imported only if it is used."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path

from stimgen.experiment.session.observers.base import Observer, ObserverContext
from stimgen.reading.errors import StimgenError

__all__ = ["Observer", "ObserverContext", "make_observer", "observer_names", "observer_summaries"]


def observer_names() -> list[str]:
    """Return the names of all observers."""
    return [info.name for info in pkgutil.iter_modules(__path__) if info.name != "base"]


def observer_summaries() -> dict[str, str]:
    """Return the first docstring line of every observer's module, without importing it."""
    folder = Path(__file__).parent
    modules = {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in observer_names()}
    return {name: (ast.get_docstring(ast.parse(text)) or "").split("\n")[0] for name, text in modules.items()}


def make_observer(name: str, context: ObserverContext) -> Observer:
    """Return an observer, or raise a `StimgenError` if it is unknown or cannot answer this experiment."""
    names = observer_names()
    if name not in names:
        raise StimgenError(f"there is no observer {name!r}", given=name, allowed=names)
    observer: Observer = importlib.import_module(f"{__name__}.{name}").make(context)
    return observer
