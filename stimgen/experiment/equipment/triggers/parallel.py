"""A PC's parallel port."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from stimgen.experiment.equipment.triggers.base import CodedTrigger, Event, TriggerConnection
from stimgen.experiment.equipment.triggers.pulses import PulseOutput
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number, Text, validation_error

SIGNAL_PINS = {10: "acknowledge", 11: "busy", 12: "paper out", 13: "select", 15: "error"}
Pin = Literal[10, 11, 12, 13, 15]


class Parallel(CodedTrigger):
    """A parallel port: a number on its data pins for every event; a pin that changes is a signal."""

    name: Literal["parallel"] = "parallel"
    port: Annotated[Text, Field(pattern=r"^(/dev/[\w/]{1,60}|0x[0-9A-Fa-f]{1,8})$")] = "/dev/parport0"
    """On Linux the device; on Windows the address that the device manager shows, such as ``0x0378``."""
    pulse_ms: Annotated[Number, Field(ge=1.0, le=1000.0)] = 5.0
    """How long a number stays on pins 2 to 9 before they go back to zero: longer than two samples of the
    recorder."""
    signal_pin: Pin | None = None
    """The pin that a scanner's signal comes in on. It is looked at once a refresh of the screen, so that a
    change must last longer than one."""

    @model_validator(mode="after")
    def _check_signal(self) -> Parallel:
        if self.starts and self.signal_pin is None:
            raise validation_error(
                "starts: true waits for a signal, and signal_pin does not say on which pin it comes",
                allowed=[f"{pin} ({use})" for pin, use in SIGNAL_PINS.items()],
                at="starts",
            )
        return self

    def open(self) -> ParallelConnection:
        """Open the port as PsychoPy does, by pyparallel on Linux and by inpout32 or DLPortIO on Windows."""
        address = int(self.port, 16) if self.port.startswith("0x") else self.port
        try:
            return ParallelConnection(self, open_parallel_port(address))
        except OSError as error:
            raise StimgenError(
                f"the parallel port {self.port!r} cannot be opened: {error}",
                hint="on Linux the module ppdev must be loaded and lp must not (rmmod lp; modprobe ppdev), "
                "and the user be of the group that owns the device, usually lp",
            ) from None


def open_parallel_port(address: int | str) -> Any:
    """Return a port with ``setData`` and ``readPin``, by PsychoPy's driver for this system.

    Raises
    ------
    OSError
        There is no such port, or it is not ours to use.
    StimgenError
        There is no driver.
    """
    from stimgen.experiment.equipment.psychopy_part import import_psychopy

    port = import_psychopy("parallel").ParallelPort
    if port is None or sys.platform == "darwin":
        raise StimgenError(
            "PsychoPy found no driver of parallel ports",
            hint="on Windows install inpoutx64; a Mac has none: take a box at a serial port",
        )
    return port(address=address)


class ParallelConnection(TriggerConnection):
    """An open parallel port.

    Parameters
    ----------
    trigger : Parallel
        What was opened.
    port : psychopy.parallel.ParallelPort
        Has ``setData`` and ``readPin``.
    """

    def __init__(self, trigger: Parallel, port: Any) -> None:
        super().__init__(f"the parallel port {trigger.port!r}")
        self._codes, self._pin, self._port = trigger.codes, trigger.signal_pin, port
        self._pulses = PulseOutput(port.setData, trigger.pulse_ms / 1000)
        port.setData(0)
        self._level = self._read()

    def _send(self, event: Event) -> None:
        self._pulses.send(self._codes[event])

    def _poll_signal(self) -> bool:
        before, self._level = self._level, self._read()
        return before != self._level

    def _close(self) -> None:
        # The port itself is closed when it is forgotten, with this line: PsychoPy has no other way.
        self._pulses.close()

    def _read(self) -> bool:
        return self._pin is not None and bool(self._port.readPin(self._pin))
