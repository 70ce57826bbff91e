"""Imports optional packages, which only some features need."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from stimgen.reading.errors import StimgenError


def import_optional(module: str, extra: str, purpose: str) -> ModuleType:
    """Import a module such as ``matplotlib.figure`` from a package that `extra` of this package installs.

    Raises `StimgenError` if it is not installed or cannot be imported; the message says that `purpose` needs
    it.
    """
    package = module.partition(".")[0]
    hint = f'install it with: pip install "stimgen[{extra}]"'
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != package:
            message = f"{purpose} needs {package}, whose own {error.name} is not installed"
        else:
            message = f"{purpose} needs {package}, which is not installed"
        raise StimgenError(message, hint=hint) from None
    except ImportError as error:
        raise StimgenError(f"{purpose} needs {package}, which fails: {error}", hint=hint) from None
