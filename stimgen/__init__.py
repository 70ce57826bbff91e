"""Makes reproducible, citable texture and texform stimuli for vision science.

Examples
--------
>>> import stimgen
>>> protocol = stimgen.load("quickstart")
>>> stimuli = stimgen.generate(protocol, "sets/quickstart")  # doctest: +SKIP
>>> stimuli.contact_sheet()  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stimgen.api import generate, load, plan, synthesize
    from stimgen.networks.python import register_network
    from stimgen.networks.trusted_code import trust
    from stimgen.reading.errors import StimgenError
    from stimgen.sensitivity import dprime
    from stimgen.stimulus_set import StimulusSet

__all__ = [
    "StimgenError",
    "StimulusSet",
    "dprime",
    "generate",
    "load",
    "plan",
    "register_network",
    "synthesize",
    "trust",
]

_MODULES = {
    "StimgenError": "stimgen.reading.errors",
    "StimulusSet": "stimgen.stimulus_set",
    "dprime": "stimgen.sensitivity",
    "generate": "stimgen.api",
    "load": "stimgen.api",
    "plan": "stimgen.api",
    "register_network": "stimgen.networks.python",
    "synthesize": "stimgen.api",
    "trust": "stimgen.networks.trusted_code",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that a set can be read without torch."""
    if name not in _MODULES:
        raise AttributeError(f"module 'stimgen' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
