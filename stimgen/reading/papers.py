"""Reads the list of literature, papers.yaml, whose papers choices and protocols cite by their keys."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from stimgen.reading.document import read_document
from stimgen.reading.model import Integer, Label, Model, Text, TextLine, validate, validation_error

Doi = Annotated[Text, Field(pattern=r"^10\.\d{4,9}(\.\d+)*/[^\s\"'<>{}]+$", max_length=300)]
WebAddress = Annotated[Text, Field(pattern=r"^https?://[^\s\"'<>{}]+$", max_length=1000)]


class Paper(Model):
    """Represents a publication to be cited."""

    key: Label
    """What protocols and bibliographies call it."""
    kind: Literal["article", "inproceedings", "preprint"] = "article"
    """Published in a journal, in proceedings, or only in an archive."""
    authors: Annotated[tuple[TextLine, ...], Field(min_length=1)]
    """Each as ``Family, Given``; a group without a comma."""
    year: Annotated[Integer, Field(ge=1000, le=9999)]
    """Year of publication."""
    title: TextLine
    """Title in sentence case."""
    venue: TextLine | None = None
    """Journal or proceedings."""
    volume: TextLine | None = None
    """As printed."""
    number: TextLine | None = None
    """As printed."""
    pages: TextLine | None = None
    """First to last page, or the number of the article."""
    doi: Doi | None = None
    """Without ``https://doi.org/``."""
    arxiv: Annotated[Text, Field(pattern=r"^([0-9]{4}\.[0-9]{4,5}|[a-z-]+/[0-9]{7})$")] | None = None
    """Identifier without ``arXiv:``."""
    url: WebAddress | None = None
    """Address of a paper that has neither of the two."""

    @model_validator(mode="before")
    @classmethod
    def _look_up_key(cls, data: Any) -> Any:
        if not isinstance(data, str):
            return data
        known = load_papers()
        if data not in known:
            raise validation_error(
                f"there is no known paper {data!r}",
                given=data,
                allowed=list(known),
                hint="for another paper, write a mapping with `key`, `authors`, `year`, `title` and `doi`",
            )
        return known[data].to_dict()

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the mapping's schema with the known keys as alternatives."""
        return {"anyOf": [{"enum": list(load_papers())}, super().__get_pydantic_json_schema__(core, handler)]}

    @property
    def link(self) -> str | None:
        """Return the address of the paper."""
        if self.doi is not None:
            return f"https://doi.org/{self.doi}"
        return f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv is not None else self.url


@cache
def load_papers() -> dict[str, Paper]:
    """Return the known papers by their keys."""
    document = read_document(Path(__file__).with_name("papers.yaml"))
    return {key: validate(Paper, {"key": key, **entry}, document) for key, entry in document.data.items()}


def resolve_papers(keys_or_papers: Iterable[str | Paper]) -> list[Paper]:
    """Return the papers, looking up those given by their keys, each once and ordered by key.

    Raises `KeyError` if no known paper has this key.
    """
    found = [one if isinstance(one, Paper) else load_papers()[one] for one in keys_or_papers]
    return [paper for _, paper in sorted({paper.key: paper for paper in found}.items())]
