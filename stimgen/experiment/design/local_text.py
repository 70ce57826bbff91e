"""Defines texts that may differ between the languages of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Discriminator, Field, Tag

from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Text, TextLine

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]

LocalText = Annotated[
    Annotated[Text, Field(max_length=500), Tag("text")]
    | Annotated[dict[Language, TextLine], Field(min_length=1), Tag("languages")],
    Discriminator(lambda value: "languages" if isinstance(value, Mapping) else "text"),
]
"""One text for all languages, or a text for each language."""


def choose_text(text: str | Mapping[str, str], language: str | None) -> str:
    """Return a text in a language, or the first one if the session has no language.

    Raises `StimgenError` if the text is not in the language.
    """
    if isinstance(text, str):
        return text
    if language is None:
        return next(iter(text.values()))
    if language not in text:
        raise StimgenError(
            f"there is no text in the language {language!r}, in which there are instructions",
            hint=f"add {language}: ... to it",
        )
    return text[language]
