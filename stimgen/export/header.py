"""What tables need of a journal's header: checked, because a journal may come from a stranger."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stimgen.reading.errors import StimgenError

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,32}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]


class _Part(BaseModel):
    """Part of a header; what else stands there is none of the tables' business."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class Observer(_Part):
    """Who answered."""

    name: str


class Viewing(_Part):
    """The screen as declared, and where the eyes were."""

    resolution: tuple[int, int]
    refresh_hz: float
    pixels_per_degree: float
    width_cm: float | None = None
    distance_cm: float | None = None


class Display(_Part):
    """The screen."""

    viewing: Viewing
    measured: dict[str, Any]


class Begin(_Part):
    """With what a session began, or was taken up again."""

    seq: int
    observer: Observer
    display: Display
    versions: dict[str, str]
    started: datetime


class Experiment(_Part):
    """The experiment."""

    name: Name
    file: str
    text: str
    sha256: str


class UsedSet(_Part):
    """A stimulus set."""

    name: str
    protocol: str
    plan_sha256: str


class Header(Begin):
    """A journal's first line."""

    experiment: Experiment
    participant: Label
    session: Label
    language: str | None
    keys: dict[str, list[str]]
    sets: list[UsedSet]
    seed: int


H = TypeVar("H", bound=_Part)


def parsed(kind: type[H], body: dict[str, Any], file: Path) -> H:
    """Return a line of a journal as what it should be.

    Raises
    ------
    StimgenError
        Something is missing in it, or of another kind.
    """
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        place = ".".join(map(str, details["loc"]))
        raise StimgenError(f"is no journal of a session: {place}: {details['msg']}", where=file) from None
