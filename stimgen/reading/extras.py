"""Packages that only some uses need."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from stimgen.reading.errors import StimgenError


def import_optional(module: str, extra: str, purpose: str) -> ModuleType:
    """Return a module of an optional package.

    Parameters
    ----------
    module : str
        What to import, such as ``matplotlib.figure``.
    extra : str
        The extra of this package that brings it.
    purpose : str
        What it is needed for, as the user wrote it.

    Raises
    ------
    StimgenError
        It is not installed, or cannot be imported.
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
