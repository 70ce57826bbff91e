"""Families of members: one file a member, found by looking into the family's package."""

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
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from stimgen.reading.model import Model, validation_error
from stimgen.reading.papers import Paper


class FamilyMember(Model):
    """The base of all families' bases: a model that may also be written as one word."""

    short_form: ClassVar[str | None] = None
    """Regular expression of the words that `from_text` understands."""
    short_form_words: ClassVar[str] = ""
    """The same for people, in messages."""
    phrase: ClassVar[str] = ""
    """What a paper's methods call it; where nothing is said, its name."""
    papers: ClassVar[tuple[str | Paper, ...]] = ()
    """What is to be cited where the member is used: keys of the known papers, or papers of its own."""

    def citations(self) -> tuple[str | Paper, ...]:
        """Return what is to be cited; a member whose fields matter to that says so here."""
        return self.papers

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """Return the fields that `text`, a match of `short_form`, stands for."""
        return {"name": text}


@dataclass(frozen=True)
class Family:
    """All members of one kind, by the name that a protocol calls them by.

    Used as an annotation, ``Annotated[Base, Family(...)]``, it makes pydantic accept any member: as a
    mapping with a ``name``, or as the bare name where the member's other fields have defaults.

    Parameters
    ----------
    singular : str
        What one member is called, for messages.
    base : type
        The class that members derive from; it stands in the family's package, in a module ``base``.
    default : str
        The member that is meant by a mapping without a name, if the keys are its own.
    fallback : str, optional
        The one that is meant where several have the keys, but not the usual one.
    """

    singular: str
    base: type[FamilyMember]
    default: str
    fallback: str | None = None

    @property
    def package(self) -> str:
        """The dotted name of the package that holds one module a member."""
        return self.base.__module__.rpartition(".")[0]

    @cached_property
    def members(self) -> dict[str, type[FamilyMember]]:
        """Every member's class by its name, in alphabetical order."""
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
            # What several members share may stand in a class of its own, which has no name.
            and not cls.model_fields["name"].is_required()
        )

    def summaries(self) -> dict[str, str]:
        """Return the first line of every member's docstring."""
        return {name: (inspect.getdoc(cls) or "").split("\n", 1)[0] for name, cls in self.members.items()}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the union of all members, told apart by ``name``."""
        # The tag is a step of an error's path: in brackets no key of a protocol can be mistaken for it.
        choices = {_tag(name): handler.generate_schema(cls) for name, cls in self.members.items()}
        union = core_schema.tagged_union_schema(choices, discriminator=_find_tag)
        return core_schema.no_info_before_validator_function(self._resolve_name, union)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the union's JSON schema, with the bare name as another choice."""
        words = [{"type": "string", "pattern": f"^{cls.short_form}$"} for cls in self._with_short_form()]
        # A member written as a mapping may leave out its name where a default supplies it, so that more than
        # one member can fit: any of them, not exactly one.
        members = handler(schema)["oneOf"] if len(self.members) > 1 else [handler(schema)]
        return {"anyOf": [{"enum": list(self.members)}, *words, *members]}

    def _with_short_form(self) -> list[type[FamilyMember]]:
        return [cls for cls in self.members.values() if cls.short_form is not None]

    def expand_short_form(self, value: Any) -> Any:
        """Return the mapping with a name that a bare word or a mapping stands for; anything else as it is."""
        if isinstance(value, Mapping):
            return value if "name" in value else {"name": self._guess_name(set(value)), **value}
        if not isinstance(value, str):
            return value
        for cls in self._with_short_form():
            if re.fullmatch(cls.short_form or "", value):
                return cls.from_text(value)
        return {"name": value}

    def _resolve_name(self, value: Any) -> Any:
        """Turn a bare word into a mapping, and refuse a name that no member has."""
        if isinstance(value, self.base):
            return value
        mapping = self.expand_short_form(value)
        if not isinstance(mapping, Mapping):
            raise validation_error(
                f"neither the name of a {self.singular} nor a mapping", allowed=self._allowed_words()
            )
        return self._check_member_name(mapping, at="name" if isinstance(value, Mapping) else None)

    def _check_member_name(self, value: Mapping[str, Any], at: str | None) -> Mapping[str, Any]:
        given = value["name"]
        if not isinstance(given, str) or given not in self.members:
            raise validation_error(
                f"unknown {self.singular} {given!r}", given=str(given), allowed=self._allowed_words(), at=at
            )
        return value

    def _guess_name(self, keys: set[Any]) -> str:
        """Return the member that has most of these fields, and lacks none; a usual one where several do."""
        known = {name: len(keys & set(cls.model_fields)) for name, cls in self.members.items()}
        best = [name for name, count in known.items() if count == max(known.values())]
        best = [name for name in best if _required_fields(self.members[name]) <= keys] or best
        if len(best) == 1:
            return best[0]
        return next((name for name in (self.default, self.fallback) if name in best), None) or self.default

    def _allowed_words(self) -> list[str]:
        return [*self.members, *(cls.short_form_words for cls in self._with_short_form())]


def _required_fields(cls: type[FamilyMember]) -> set[str]:
    return {name for name, field in cls.model_fields.items() if field.is_required()}


def _tag(name: str) -> str:
    return f"<{name}>"


def _find_tag(value: Any) -> str:
    """Return the tag of a member, or of a mapping whose name was checked before."""
    return _tag(value["name"] if isinstance(value, Mapping) else value.name)
