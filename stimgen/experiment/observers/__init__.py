"""Observers: who answers. One file each, with a function `make`; only the one asked for is imported."""

from __future__ import annotations

import importlib
import pkgutil

from stimgen.experiment.observers.base import Observer, Setting
from stimgen.reading.errors import StimgenError

__all__ = ["Observer", "Setting", "make_observer", "observer_names"]


def observer_names() -> list[str]:
    """Return the names of all observers."""
    return [info.name for info in pkgutil.iter_modules(__path__) if info.name != "base"]


def make_observer(name: str, setting: Setting) -> Observer:
    """Return an observer.

    Raises
    ------
    StimgenError
        There is no such observer, or it cannot answer this experiment.
    """
    names = observer_names()
    if name not in names:
        raise StimgenError(f"there is no observer {name!r}", given=name, allowed=names)
    made: Observer = importlib.import_module(f"{__name__}.{name}").make(setting)
    return made
