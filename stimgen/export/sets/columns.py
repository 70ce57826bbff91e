"""Describes the columns of a set's table in the words of the records' models."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from stimgen.stimulus_set.record import RecordContent
from stimgen.stimulus_set.table import TABLE_COLUMNS

Kind = Literal["text", "whole", "number", "truth"]
KINDS: dict[type, Kind] = {str: "text", int: "whole", float: "number", bool: "truth"}


class SetColumn(NamedTuple):
    """Describes a column of the set's table."""

    name: str
    kind: Kind
    """Kind of its values, where cells are not empty."""
    description: str


@cache
def list_set_columns(factors: tuple[str, ...] = ()) -> tuple[SetColumn, ...]:
    """Return the columns of ``stimuli.csv``, in their order; `factors` are those of the set's sources."""
    usual = (_describe_column(name, path) for name, path in TABLE_COLUMNS.items())
    return *usual, *(SetColumn(name, "text", f"The {name} of the source.") for name in factors)


def _describe_column(name: str, path: str) -> SetColumn:
    model: Any = RecordContent
    descriptions: list[str] = []
    for step in path.split("."):
        descriptions += [text] if (text := model.describe_field(step)) else []
        model = next(one for one in _list_types(model.model_fields[step].annotation) if one is not NoneType)
        if not issubclass(model, BaseModel):
            break
    # The last step says most, and is read first.
    words = " ".join(" ".join(reversed(descriptions)).split()) or path.replace(".", ", ").replace("_", " ")
    return SetColumn(name, KINDS[model], words)


def _list_types(annotation: Any) -> Iterator[type]:
    if get_origin(annotation) in (Union, UnionType):
        for one in get_args(annotation):
            yield from _list_types(one)
    else:
        yield annotation
