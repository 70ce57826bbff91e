"""Sends markers over the Lab Streaming Layer (LSL)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from stimgen.experiment.equipment.triggers.base import CODES, Event, Trigger, TriggerConnection
from stimgen.reading import model
from stimgen.reading.errors import StimgenError
from stimgen.reading.extras import import_optional
from stimgen.reading.model import Number, validation_error

PURPOSE = "a trigger over the lab streaming layer"
SEARCH_SECONDS = 5.0


class Lsl(Trigger):
    """Sends markers over the Lab Streaming Layer (LSL); a sample of another stream is a signal."""

    name: Literal["lsl"] = "lsl"
    stream: model.TextLine = "stimgen"
    """Name of the stream of markers: type ``Markers``, one channel of text."""
    markers: dict[Event, model.TextLine] = Field(
        default_factory=lambda: {event: str(event) for event in CODES}
    )
    """Text for every event. Events that are left out send nothing."""
    recorder_s: Annotated[Number, Field(ge=0.0, le=600.0)] = 30.0
    """How long to wait for a recorder before the session begins. Without a recorder the session is refused,
    because the markers would be lost. With 0 no recorder is needed."""
    signals: model.TextLine | None = None
    """Name of the stream whose samples are signals."""

    @model_validator(mode="after")
    def _check_signal(self) -> Lsl:
        if self.starts and self.signals is None:
            raise validation_error(
                "starts: true waits for a signal, but signals does not name its stream", at="starts"
            )
        return self

    @override
    def events(self) -> tuple[Event, ...]:
        return tuple(self.markers)

    @override
    def open(self) -> LslConnection:
        pylsl = import_optional("pylsl", "triggers", PURPOSE)
        inlet = None if self.signals is None else _open_inlet(pylsl, self.signals)
        info = pylsl.StreamInfo(
            self.stream, "Markers", 1, pylsl.IRREGULAR_RATE, "string", f"stimgen {self.stream}"
        )
        outlet = pylsl.StreamOutlet(info)
        if self.recorder_s and not outlet.wait_for_consumers(self.recorder_s):
            raise StimgenError(
                f"no recorder listens to the LSL stream {self.stream!r}: its markers would be lost",
                hint=f"start the recorder within {self.recorder_s:g} s of this command, or change recorder_s "
                "of the trigger; with recorder_s: 0 the session does not wait for a recorder",
            )
        return LslConnection(self, outlet, inlet)


class LslConnection(TriggerConnection):
    """Holds the open streams: pylsl's outlet for markers, and its inlet for signals if there is one."""

    # pylsl's own errors derive from RuntimeError.
    failures: ClassVar[tuple[type[Exception], ...]] = (RuntimeError, OSError)

    def __init__(self, trigger: Lsl, outlet: Any, inlet: Any | None) -> None:
        super().__init__(f"the LSL stream {trigger.signals or trigger.stream!r}")
        self._markers, self._outlet, self._inlet = trigger.markers, outlet, inlet

    @override
    def _send(self, event: Event) -> None:
        self._outlet.push_sample([self._markers[event]])

    @override
    def _poll_signal(self) -> bool:
        return self._inlet is not None and bool(self._inlet.pull_chunk(timeout=0.0)[1])

    @override
    def _close(self) -> None:
        # pylsl closes streams when they are deleted; it has no other way.
        self._outlet = self._inlet = None


def _open_inlet(pylsl: Any, name: str) -> Any:
    found = pylsl.resolve_byprop("name", name, timeout=SEARCH_SECONDS)
    if not found:
        raise StimgenError(
            f"there is no LSL stream {name!r} on the network",
            given=name,
            allowed=sorted({stream.name() for stream in pylsl.resolve_streams()}),
            hint="start the equipment that sends signals before this command",
        )
    inlet = pylsl.StreamInlet(found[0])
    try:
        inlet.open_stream(timeout=SEARCH_SECONDS)
    except RuntimeError as error:
        raise StimgenError(f"the LSL stream {name!r} cannot be opened: {error}") from None
    return inlet
