"""Sends bytes over a serial port."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import override

from stimgen.experiment.equipment.triggers.base import CodedTrigger, Event, TriggerConnection
from stimgen.experiment.equipment.triggers.pulses import PulseOutput
from stimgen.reading.errors import StimgenError
from stimgen.reading.extras import import_optional
from stimgen.reading.model import Integer, Number, Text

PURPOSE = "a trigger over a serial port"


class Serial(CodedTrigger):
    """Writes one byte per event to a serial port; any incoming byte is a signal."""

    name: Literal["serial"] = "serial"
    port: Annotated[Text, Field(min_length=1, max_length=200)]
    """The operating system's name: ``COM3``, ``/dev/ttyUSB0``, or a URL of pyserial."""
    baud: Annotated[Integer, Field(ge=50, le=4_000_000)] = 115_200
    """Bits per second."""
    pulse_ms: Annotated[Number, Field(ge=1.0, le=1000.0)] | None = None
    """After how long a zero follows, for boxes that hold a byte on their output until the next one. By
    default no zero follows."""

    @override
    def open(self) -> SerialConnection:
        serial = import_optional("serial", "triggers", PURPOSE)
        try:
            # Reading must not block, because the next frame does not wait.
            port = serial.serial_for_url(self.port, baudrate=self.baud, timeout=0, write_timeout=0.1)
        except (OSError, ValueError) as error:
            reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
            ports = import_optional("serial.tools.list_ports", "triggers", PURPOSE).comports()
            raise StimgenError(
                f"the serial port {self.port!r} cannot be opened: {reason}",
                given=self.port,
                allowed=sorted(port.device for port in ports),
                hint="connect it, or name another port in the experiment's triggers",
            ) from None
        return SerialConnection(self, port)


class SerialConnection(TriggerConnection):
    """Holds an open port of pyserial, whose errors derive from OSError."""

    def __init__(self, trigger: Serial, port: Any) -> None:
        super().__init__(f"the serial port {trigger.port!r}")
        self._codes, self._port = trigger.codes, port
        seconds = None if trigger.pulse_ms is None else trigger.pulse_ms / 1000
        self._pulses = PulseOutput(lambda code: port.write(bytes([code])), seconds)

    @override
    def _send(self, event: Event) -> None:
        self._pulses.send(self._codes[event])

    @override
    def _poll_signal(self) -> bool:
        return bool(self._port.read(self._port.in_waiting or 1))

    @override
    def _close(self) -> None:
        try:
            self._pulses.close()
        finally:
            self._port.close()
