"""Models what a protocol says about its set as a publication, as it stands in the plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, ValidationError

from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Model, Text, TextLine, format_first_error
from stimgen.reading.papers import Doi, Paper
from stimgen.stimulus_set.record import JsonObject


class Author(Model):
    """Names an author of the stimulus set."""

    name: TextLine
    """``Lovelace, Ada``, which citations can abbreviate; without a comma, as of a group, printed as it is."""
    orcid: Annotated[Text, Field(pattern=r"^\d{4}-\d{4}-\d{4}-\d{3}[\dX]$")] | None = None
    """Sixteen digits in four groups."""
    affiliation: TextLine | None = None
    """Where the author works."""


class CitedMember(Model):
    """Names a member of a family that a set was made with, and the papers behind it."""

    kind: TextLine
    """The family: ``networks``, ``statistics``, ..."""
    name: TextLine
    """What protocols call it."""
    phrase: TextLine
    """What a paper's methods call it."""
    papers: tuple[TextLine, ...]
    """Keys of the papers behind it."""
    fields: tuple[JsonObject, ...] = ()
    """Settings that these papers belong to, where other settings of the member have other papers."""


class SetMetadata(Model):
    """Describes a set as a publication."""

    # The plan says more about its protocol than this.
    model_config = ConfigDict(extra="ignore")

    name: TextLine = "stimuli"
    title: TextLine | None = None
    authors: tuple[Author, ...] = ()
    licence: TextLine | None = None
    version: TextLine | None = None
    doi: Doi | None = None
    notes: Text | None = None
    papers: tuple[Paper, ...] = ()
    """Papers that the set follows."""
    choices: tuple[CitedMember, ...] = ()
    """Members of families that the set was made with; empty in sets from before there were citations."""
    literature: tuple[Paper, ...] = ()
    """The papers behind the choices."""

    @classmethod
    def from_plan(cls, protocol: dict[str, Any], where: Path) -> SetMetadata:
        """Return the metadata in a plan; raise `StimgenError` where they are damaged."""
        known = {key: value for key, value in protocol.items() if key in cls.model_fields}
        try:
            return cls.model_validate(known)
        except ValidationError as error:
            raise StimgenError(f"is damaged: {format_first_error(error, 'protocol')}", where=where) from None

    def papers_for(self, kind: str, recipe: Mapping[str, Any]) -> list[Paper]:
        """Return the papers behind a member, by its name and its settings."""
        name = recipe.get("name")
        named = [choice for choice in self.choices if (choice.kind, choice.name) == (kind, name)]
        fitting = [choice for choice in named if recipe in choice.fields] or named
        keys = {key for choice in fitting for key in choice.papers}
        return [paper for paper in self.literature if paper.key in keys]

    def phrase_for(self, kind: str, name: str) -> str:
        """Return what a paper's methods call a member; its name where the plan has no phrase."""
        known = (choice.phrase for choice in self.choices if (choice.kind, choice.name) == (kind, name))
        return next(known, name.replace("_", " "))
