"""Sends numbers over a PC's parallel port."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from stimgen.experiment.equipment.triggers.base import CodedTrigger, Event, TriggerConnection
from stimgen.experiment.equipment.triggers.pulses import PulseOutput
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number, Text, validation_error

SIGNAL_PINS = {10: "acknowledge", 11: "busy", 12: "paper out", 13: "select", 15: "error"}
Pin = Literal[10, 11, 12, 13, 15]


class Parallel(CodedTrigger):
    """Sets a number on the data pins of a parallel port for every event; a change of a pin is a signal."""

    name: Literal["parallel"] = "parallel"
    port: Annotated[Text, Field(pattern=r"^(/dev/[\w/]{1,60}|0x[0-9A-Fa-f]{1,8})$")] = "/dev/parport0"
    """On Linux the device. On Windows the address that the device manager shows, such as ``0x0378``."""
    pulse_ms: Annotated[Number, Field(ge=1.0, le=1000.0)] = 5.0
    """How long a number stays on pins 2 to 9 before they return to zero. It should be longer than two samples
    of the recorder."""
    signal_pin: Pin | None = None
    """The pin of a scanner's signal. It is read once per refresh of the screen, so a change must last longer
    than one refresh."""

    @model_validator(mode="after")
    def _check_signal(self) -> Parallel:
        if self.starts and self.signal_pin is None:
            raise validation_error(
                "starts: true waits for a signal, but signal_pin does not name its pin",
                allowed=[f"{pin} ({use})" for pin, use in SIGNAL_PINS.items()],
                at="starts",
            )
        return self

    @override
    def open(self) -> ParallelConnection:
        address = int(self.port, 16) if self.port.startswith("0x") else self.port
        try:
            return ParallelConnection(self, open_parallel_port(address))
        except OSError as error:
            raise StimgenError(
                f"the parallel port {self.port!r} cannot be opened: {error}",
                hint="on Linux, unload the module lp and load ppdev (sudo rmmod lp; sudo modprobe ppdev), "
                "and add the user to the group that owns the device, usually lp",
            ) from None


def open_parallel_port(address: int | str) -> Any:
    """Return PsychoPy's port, with ``setData`` and ``readPin``.

    PsychoPy uses pyparallel on Linux, and inpout32 or DLPortIO on Windows. Raises `OSError` if there is no
    such port or the user may not use it, and `StimgenError` if there is no driver.
    """
    from stimgen.experiment.equipment.psychopy_part import import_psychopy

    port = import_psychopy("parallel").ParallelPort
    if port is None or sys.platform == "darwin":
        raise StimgenError(
            "PsychoPy found no driver of parallel ports",
            hint="on Windows install inpoutx64; a Mac has no parallel port: use a box at a serial port",
        )
    return port(address=address)


class ParallelConnection(TriggerConnection):
    """Holds an open parallel port; see `open_parallel_port`."""

    def __init__(self, trigger: Parallel, port: Any) -> None:
        super().__init__(f"the parallel port {trigger.port!r}")
        self._codes, self._pin, self._port = trigger.codes, trigger.signal_pin, port
        self._pulses = PulseOutput(port.setData, trigger.pulse_ms / 1000)
        port.setData(0)
        self._level = self._read_pin()

    @override
    def _send(self, event: Event) -> None:
        self._pulses.send(self._codes[event])

    @override
    def _poll_signal(self) -> bool:
        before, self._level = self._level, self._read_pin()
        return before != self._level

    @override
    def _close(self) -> None:
        # PsychoPy closes the port when it is deleted, together with this object; it has no other way.
        self._pulses.close()

    def _read_pin(self) -> bool:
        return self._pin is not None and bool(self._port.readPin(self._pin))
