"""Defines the base of everything a user can write: frozen pydantic models with located errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from stimgen.reading.document import Document
from stimgen.reading.errors import CombinedError, StimgenError
from stimgen.reading.field_docs import find_field_doc

# YAML has its own types: a quoted "5" is not a number, and true is not 1.
Integer = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
OddInteger = Annotated[Integer, AfterValidator(lambda value: _check_odd(value))]
Text = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]
# A name that files and columns can have, and text that is printed in one line.
Label = Annotated[Text, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
TextLine = Annotated[Text, Field(min_length=1, max_length=500)]


class OneOrMore:
    """Annotates a tuple that may also be written as its only entry, without brackets."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the tuple's schema, which anything but a list or tuple enters as the only entry."""
        return core_schema.no_info_before_validator_function(_wrap_in_list, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of an entry or of a list of entries."""
        several = handler(core)
        return {"anyOf": [several["items"], several]}


def _wrap_in_list(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else [value]


class Model(BaseModel):
    """Refuses unknown keys and names the known ones; instances are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema with what the docstrings below the fields say of them."""
        schema = handler(core)
        properties = handler.resolve_ref_schema(schema)["properties"]
        for name in cls.model_fields:
            if (text := cls.describe_field(name)) is not None:
                properties[name]["description"] = text
        return schema

    @classmethod
    def describe_field(cls, name: str) -> str | None:
        """Return the docstring below a field; None without one.

        Pydantic's `use_attribute_docstrings` reads all of them on import, which took a fifth of the time of a
        command, and only schemas need them.
        """
        return find_field_doc(cls, name)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            # From pydantic 2.10 on, `model_fields` is a slow property, and journals have many models.
            fields = getattr(cls, "__pydantic_fields__", None) or cls.model_fields
            for key in data:
                if key not in fields:
                    raise validation_error(
                        f"unknown key {key!r}", given=str(key), allowed=list(fields), at=str(key)
                    )
        return data

    def to_dict(self) -> dict[str, Any]:
        """Return the model as JSON-ready mappings, lists and scalars."""
        return self.model_dump(mode="json")

    def replace(self, **changes: Any) -> Self:
        """Return a validated copy in which some fields are changed."""
        # Not `dict(self)`: of a model with a field `keys`, it would call that.
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate({**fields, **changes})


def validation_error(
    message: str,
    *,
    given: str | None = None,
    allowed: list[str] | None = None,
    at: str | None = None,
    hint: str | None = None,
) -> PydanticCustomError:
    """Return an error for a validator to raise, which reaches the user with line and nearest match.

    The arguments are those of `StimgenError`; `at` is the key of the validated value that the error is about.
    """
    context = {"message": message, "given": given, "allowed": allowed or [], "at": at, "hint": hint}
    return PydanticCustomError("mistake", "{message}", context)


def _check_odd(value: int) -> int:
    if value % 2 == 0:
        raise validation_error(f"{value} is even: it must have a centre", hint=f"write {value + 1}")
    return value


@dataclass(frozen=True)
class KindOf:
    """Annotates a union whose members are told apart by a tag."""

    find_kind: Callable[[Any], str | None]
    """Returns the tag of a value; None if it is of no kind."""
    message: str
    """What is wrong with a value of no kind."""
    allowed: tuple[str, ...]
    """What may be written at the key `at`, which says the kind."""
    at: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the union."""
        context: dict[str, Any] = {"message": self.message, "given": None, "hint": None}
        context |= {"allowed": list(self.allowed), "at": self.at}
        tell_apart = Discriminator(
            self.find_kind,
            custom_error_type="mistake",
            custom_error_message="{message}",
            custom_error_context=context,
        )
        return tell_apart.__get_pydantic_core_schema__(source, handler)


def repeat_error(error: ValidationError) -> PydanticCustomError:
    """Return the first error of a nested model's own checks, for the outer model's validator to raise."""
    return PydanticCustomError("mistake", "{message}", error.errors()[0].get("ctx"))


def format_first_error(error: ValidationError, *parents: str) -> str:
    """Return the first problem in a file that a program wrote, as ``parents.path.to.value: problem``."""
    details = error.errors(include_url=False)[0]
    path = ".".join(map(str, (*parents, *details["loc"])))
    return f"{path}: {details['msg']}" if path else details["msg"]


M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], data: Any, document: Document, context: Mapping[str, Any] | None = None) -> M:
    """Validate `data`, the content of `document`, as a pydantic model; validators get `context`.

    Raises `StimgenError` if there are problems, each with its location in the document.
    """
    try:
        return model.model_validate(data, context=context)
    except ValidationError as error:
        found = [details for details in error.errors(include_url=False) if not _is_echo(details)]
        problems = [_convert_error(details, document) for details in found]
        unique = list({str(problem): problem for problem in problems}.values())
        raise (unique[0] if len(unique) == 1 else CombinedError(unique)) from None


def _is_echo(details: ErrorDetails) -> bool:
    """Return whether a list is reported as too short only because some of its entries are invalid."""
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _convert_error(details: ErrorDetails, document: Document) -> StimgenError:
    context = details.get("ctx", {})
    path = details["loc"]
    name = _format_path(path, document, missing=details["type"] == "missing")
    if details["type"] == "mistake":
        rest = {key: context[key] for key in ("given", "allowed", "hint")}
        where = document.where(path if context["at"] is None else (*path, context["at"]))
        return StimgenError((f"{name}: " if name else "") + context["message"], where=where, **rest)
    message = _describe_problem(details)
    given, allowed = None, []
    if details["type"] in ("literal_error", "enum"):
        allowed = re.findall(r"'([^']*)'", context["expected"])
        given, message = str(details["input"]), f"{_summarise(details['input'])} is not understood"
    return StimgenError(f"{name}: {message}", where=document.where(path), given=given, allowed=allowed)


# What is expected, in the words of YAML rather than of Python.
_EXPECTATIONS = {
    "dict_type": "should be a mapping of keys to values",
    "model_type": "should be a mapping of keys to values",
    "model_attributes_type": "should be a mapping of keys to values",
    "string_type": "should be text, in quotes if need be",
    "tuple_type": "should be a list",
    "too_long": "should be a list of at most {max_length}",
    "too_short": "should be a list of at least {min_length}",
}


def _describe_problem(details: ErrorDetails) -> str:
    kind = details["type"]
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return details["msg"]
    if kind in _EXPECTATIONS:
        message = _EXPECTATIONS[kind].format(**details.get("ctx", {}))
    else:
        message = re.sub(r"^(Input|String) should", "should", details["msg"])
    return f"{message}, not {_summarise(details['input'])}"


def _format_path(path: tuple[int | str, ...], document: Document, *, missing: bool) -> str:
    """Return a path such as ``conditions[0].layers``, without steps that the file does not have."""
    here: Any = document.data
    name = ""
    for i, step in enumerate(path):
        is_entry = isinstance(here, list) and isinstance(step, int) and step < len(here)
        if is_entry or (isinstance(here, Mapping) and step in here):
            here = here[step]
        elif not missing or i < len(path) - 1:
            continue
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else str(step)
    return name


def _summarise(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if value is None:
        return "empty"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
