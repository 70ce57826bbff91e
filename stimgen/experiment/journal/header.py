"""Experiment, screen and sets as a journal's header has them; it may be a stranger's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from stimgen.experiment.journal.journal import RecordedSession
from stimgen.experiment.schema.display import Resolution
from stimgen.experiment.schema.load import LoadedExperiment, parse_experiment
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.reading.document import parse_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Model, Number

Length = Annotated[Number, Field(gt=0.0, le=1e7)]


class _Viewing(Model):
    """A screen as a journal has it."""

    resolution: Resolution
    distance_px: Length
    refresh_hz: Length
    distance_cm: Length | None = None
    width_cm: Length | None = None
    pixels_per_degree: Length


def read_recorded_experiment(recorded: RecordedSession, file: Path) -> LoadedExperiment:
    """Return the experiment of a journal.

    Raises
    ------
    StimgenError
        The header has none, or none that can be accepted.
    """
    text = _at(recorded, file, "experiment", "text")
    if not isinstance(text, str):
        raise StimgenError("the journal's header has no experiment.text", where=file)
    return parse_experiment(parse_document(text, Path(f"{file} (its experiment)")))


def read_recorded_viewing(recorded: RecordedSession, file: Path) -> ViewingGeometry:
    """Return the screen of a journal.

    Raises
    ------
    StimgenError
        The header has none, or none that can be drawn on.
    """
    try:
        found = _Viewing.model_validate(_at(recorded, file, "display", "viewing"))
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        place = ".".join(map(str, ("display", "viewing", *details["loc"])))
        raise StimgenError(f"the journal's header: {place}: {details['msg']}", where=file) from None
    return ViewingGeometry(
        found.resolution, found.distance_px, found.refresh_hz, found.distance_cm, found.width_cm
    )


def count_recorded_sets(recorded: RecordedSession, file: Path) -> int:
    """Return how many sets the pictures of a journal were taken from.

    Raises
    ------
    StimgenError
        The header does not tell.
    """
    sets = _at(recorded, file, "sets")
    if not isinstance(sets, list):
        raise StimgenError("the journal's header has no sets", where=file)
    return len(sets)


def _at(recorded: RecordedSession, file: Path, *path: str) -> Any:
    here: Any = recorded.header
    for step in path:
        if not isinstance(here, dict) or step not in here:
            raise StimgenError(f"the journal's header has no {'.'.join(path)}", where=file)
        here = here[step]
    return here
