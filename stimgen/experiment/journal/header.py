"""Defines the header of a journal, which tells what a session ran with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, ValidationError

from stimgen.experiment.pictures.sets import SetReference
from stimgen.experiment.schema.display import Resolution
from stimgen.experiment.schema.load import LoadedExperiment, parse_experiment
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.reading.document import parse_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Model, Number, format_first_error

FORMAT: Final = 1
HUMAN_OBSERVER = "psychopy"
"""The observer through which a person answers; the others are computed."""
CAME_LATER: Final = frozenset({"group", "pictures"})
"""Keys that headers of version 0.1.0 did not have."""

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,32}$")]
ExperimentName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
Length = Annotated[Number, Field(gt=0.0, le=1e7)]
Timestamp = Annotated[datetime, PlainSerializer(lambda time: time.isoformat(timespec="seconds"))]


class _HeaderPart(BaseModel):
    """Represents part of a header. Keys that it does not know are ignored: newer versions may write more."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the part as JSON-ready mappings, lists and scalars."""
        return self.model_dump(mode="json")


class RecordedObserver(_HeaderPart):
    """Names who or what answered, with the settings of a simulated observer."""

    name: str
    settings: dict[str, Any] = {}


class RecordedViewing(Model):
    """Describes the screen and the viewing distance; see `ViewingGeometry`.

    It is strict, because a stranger's journal is drawn on a screen of this size.
    """

    resolution: Resolution
    distance_px: Length
    refresh_hz: Length
    distance_cm: Length | None = None
    width_cm: Length | None = None
    pixels_per_degree: Length

    def geometry(self) -> ViewingGeometry:
        """Return the geometry that trials are drawn with."""
        return ViewingGeometry(**self.model_dump(exclude={"pixels_per_degree"}))


class RecordedDisplay(_HeaderPart):
    """Describes the display as the experiment declares it, as it is seen, and as it was measured."""

    declared: dict[str, Any] = {}
    viewing: RecordedViewing
    measured: dict[str, Any]


class SessionStart(_HeaderPart):
    """Holds what changes when a session is resumed; the header and every ``resumed`` event have it."""

    seq: int = Field(default=0, exclude=True)
    """Number of the journal's line; the journal itself writes it."""
    observer: RecordedObserver
    display: RecordedDisplay
    versions: dict[str, str]
    started: Timestamp

    @classmethod
    def parse(cls, body: Mapping[str, Any], file: Path) -> Self:
        """Return what a line of a journal says.

        Raises `StimgenError` if a field is missing or is not valid.
        """
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            problem = format_first_error(error)
            raise StimgenError(f"is not the journal of a session: {problem}", where=file) from None


class RecordedExperiment(_HeaderPart):
    """Holds the text of the experiment's file."""

    name: ExperimentName
    file: str
    sha256: str
    text: str

    @classmethod
    def from_loaded(cls, loaded: LoadedExperiment) -> RecordedExperiment:
        """Return what the journal keeps of an experiment."""
        name, document = loaded.experiment.name, loaded.document
        return cls(name=name, file=document.file.name, sha256=loaded.sha256, text=document.text)

    def load(self, journal: Path) -> LoadedExperiment:
        """Return the experiment; errors name the journal that it was read from.

        Raises `StimgenError` if the text is not a valid experiment.
        """
        return parse_experiment(parse_document(self.text, Path(f"{journal} (its experiment)")))


class RecordedPicture(_HeaderPart):
    """Names a picture of the instructions, with the hash of its file."""

    file: str
    """Path from the experiment's folder."""
    sha256: str


class JournalHeader(SessionStart):
    """Represents the first line of a journal."""

    format: Literal[1] = FORMAT
    experiment: RecordedExperiment
    participant: Label
    session: Label
    group: str | None = None
    """The participant's group, if the experiment has groups."""
    language: str | None
    keys: dict[str, list[str]]
    sets: tuple[SetReference, ...]
    seed: int
    notes: tuple[str, ...] = ()
    pictures: tuple[RecordedPicture, ...] = ()
    """Pictures of the instructions in the session's language."""

    def to_dict(self) -> dict[str, Any]:
        """Return the header without keys that version 0.1.0 did not have, where they are empty."""
        found = super().to_dict()
        return {key: value for key, value in found.items() if value or key not in CAME_LATER}

    def start(self) -> SessionStart:
        """Return the part of the header that a resumed session writes again."""
        return SessionStart(
            observer=self.observer, display=self.display, versions=self.versions, started=self.started
        )
