"""Finds the members of families: each is a file in the package of its family."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from stimgen.reading.model import Model, validation_error
from stimgen.reading.papers import Paper


class FamilyMember(Model):
    """Is the base of all members: a model that may also be written as one word."""

    short_form: ClassVar[str | None] = None
    """Regular expression of the words that `from_text` understands."""
    short_form_words: ClassVar[str] = ""
    """Description of these words for messages."""
    phrase: ClassVar[str] = ""
    """Noun phrase for the member in a paper's methods section; by default its name."""
    papers: ClassVar[tuple[str | Paper, ...]] = ()
    """Papers to cite where the member is used: keys of known papers, or other papers."""

    needs_name: ClassVar[bool] = False
    """Whether a mapping without a name never stands for it: for members that share keys with older ones."""

    def citations(self) -> tuple[str | Paper, ...]:
        """Return the papers to cite; override it if they depend on the member's fields."""
        return self.papers

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """Return the fields that `text`, which matches `short_form`, stands for."""
        return {"name": text}


@dataclass(frozen=True)
class Family:
    """Holds all members of one kind by the names that protocols give them.

    Used as an annotation, ``Annotated[Base, Family(...)]``, it makes pydantic accept any member, written as a
    mapping with a ``name``, or as the bare name if the member's other fields have defaults.
    """

    singular: str
    """What messages call one member."""
    base: type[FamilyMember]
    """The class that members derive from, in the module ``base`` of the family's package."""
    default: str
    """The member that a mapping without a name means, if it has the mapping's keys."""
    fallback: str | None = None
    """The member that it means if several have these keys, but the default does not."""

    @property
    def package(self) -> str:
        """Return the dotted name of the package that has one module for each member."""
        return self.base.__module__.rpartition(".")[0]

    @cached_property
    def members(self) -> dict[str, type[FamilyMember]]:
        """Return every member's class by its name, in alphabetical order."""
        package = importlib.import_module(self.package)
        found: dict[str, type[FamilyMember]] = {}
        for info in pkgutil.iter_modules(package.__path__, self.package + "."):
            if info.ispkg:
                continue
            module = importlib.import_module(info.name)
            for cls in vars(module).values():
                if self._is_member(cls, info.name):
                    found[cls.model_fields["name"].default] = cls
        return dict(sorted(found.items()))

    def _is_member(self, cls: Any, module: str) -> bool:
        return (
            inspect.isclass(cls)
            and issubclass(cls, self.base)
            and cls.__module__ == module
            and not inspect.isabstract(cls)
            and "name" in cls.model_fields
            # A class with what several members share has no name.
            and not cls.model_fields["name"].is_required()
        )

    def summaries(self) -> dict[str, str]:
        """Return the first line of every member's docstring."""
        return {name: (inspect.getdoc(cls) or "").split("\n", 1)[0] for name, cls in self.members.items()}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the union of all members, distinguished by ``name``."""
        # The tag is a step in an error's path; the brackets distinguish it from the keys of a protocol.
        choices = {_tag(name): handler.generate_schema(cls) for name, cls in self.members.items()}
        union = core_schema.tagged_union_schema(choices, discriminator=_find_tag)
        return core_schema.no_info_before_validator_function(self._resolve_name, union)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the union's JSON schema with the bare names as alternatives."""
        words = [{"type": "string", "pattern": f"^{cls.short_form}$"} for cls in self._with_short_form()]
        # More than one member can match a mapping that leaves out the name: `anyOf` rather than `oneOf`.
        members = handler(core)["oneOf"] if len(self.members) > 1 else [handler(core)]
        return {"anyOf": [{"enum": list(self.members)}, *words, *members]}

    def _with_short_form(self) -> list[type[FamilyMember]]:
        return [cls for cls in self.members.values() if cls.short_form is not None]

    def expand_short_form(self, value: Any) -> Any:
        """Return the mapping, with a name, that a word or a mapping stands for; return other values as is."""
        if isinstance(value, Mapping):
            return value if "name" in value else {"name": self._guess_name(set(value)), **value}
        if not isinstance(value, str):
            return value
        for cls in self._with_short_form():
            if re.fullmatch(cls.short_form or "", value):
                return cls.from_text(value)
        return {"name": value}

    def _resolve_name(self, value: Any) -> Any:
        """Return the mapping that `value` stands for; refuse a name that no member has."""
        if isinstance(value, self.base):
            return value
        allowed = [*self.members, *(cls.short_form_words for cls in self._with_short_form())]
        mapping = self.expand_short_form(value)
        if not isinstance(mapping, Mapping):
            raise validation_error(f"neither the name of a {self.singular} nor a mapping", allowed=allowed)
        name = mapping["name"]
        if not isinstance(name, str) or name not in self.members:
            at = "name" if isinstance(value, Mapping) else None
            raise validation_error(
                f"unknown {self.singular} {name!r}", given=str(name), allowed=allowed, at=at
            )
        return mapping

    def _guess_name(self, keys: set[Any]) -> str:
        """Return the member that has most of these fields and requires no others, preferably the default."""
        members = {name: cls for name, cls in self.members.items() if not cls.needs_name}
        known = {name: len(keys & set(cls.model_fields)) for name, cls in members.items()}
        best = [name for name, count in known.items() if count == max(known.values())]
        best = [name for name in best if _list_required_fields(self.members[name]) <= keys] or best
        if len(best) == 1:
            return best[0]
        return next((name for name in (self.default, self.fallback) if name in best), None) or self.default


def _list_required_fields(cls: type[FamilyMember]) -> set[str]:
    return {name for name, field in cls.model_fields.items() if field.is_required()}


def _tag(name: str) -> str:
    return f"<{name}>"


def _find_tag(value: Any) -> str:
    """Return the tag of a member, or of a mapping whose name has been checked."""
    return _tag(value["name"] if isinstance(value, Mapping) else value.name)
