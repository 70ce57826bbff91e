"""Names the factors of sources, such as their category: columns of tables, and what experiments select by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from stimgen.reading.model import Text, TextLine, validation_error

# Columns of tables of sets and trials; in a pattern, {name} stands for any name.
RESERVED = (
    *("name", "id", "file", "sha256", "source", "source_file", "source_sha256", "licence", "condition"),
    *("seed", "parameters", "evaluations", "stopped", "converged", "encoding", "clipped", "judge"),
    *("set", "duration", "soa", "cue", "meet", "block", "practice", "catch", "track", "level", "interval"),
    *("participant", "session", "group", "date", "observer", "response", "correct", "key", "missed"),
)
SEPARATOR = "+"  # between the values of several sources of one trial


def check_factor_name(name: str) -> str:
    """Return the name of a factor; a name that tables need for something else raises a validation error."""
    if name.lower() in RESERVED:
        raise validation_error(f"{name!r} cannot be a factor: tables have a column of this name")
    return name


FactorName = Annotated[
    Text, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$"), AfterValidator(check_factor_name)
]
Factors = Annotated[dict[FactorName, TextLine], Field(max_length=20)]
"""Value of every factor of a source, by its name."""


def format_factors(factors: Mapping[str, str]) -> str:
    """Return factors as text that differs if they do."""
    return json.dumps(dict(factors), sort_keys=True) if factors else ""


def join_factors(several: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the factors of several sources, with a plus between values that differ."""
    values: dict[str, dict[str, None]] = {}
    for factors in several:
        for name, value in factors.items():
            values.setdefault(name, {})[value] = None
    return {name: SEPARATOR.join(found) for name, found in values.items()}
