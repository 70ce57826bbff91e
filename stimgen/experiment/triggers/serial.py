"""Bytes over a serial port."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from stimgen.experiment.triggers.base import Event, Trigger
from stimgen.reading.errors import StimgenError
from stimgen.reading.extras import needed
from stimgen.reading.model import Integer, Text


class Serial(Trigger):
    """A serial port: one byte an event; any byte that comes in is a signal."""

    name: Literal["serial"] = "serial"
    port: Annotated[Text, Field(min_length=1, max_length=200)]
    """What the operating system calls it: ``COM3``, ``/dev/ttyUSB0``, or a URL of pyserial's."""
    baud: Annotated[Integer, Field(ge=50, le=4_000_000)] = 115_200
    """Bits a second."""

    def open(self) -> SerialLine:
        """Open the port; the package pyserial does."""
        serial = needed("serial", "triggers", "a trigger over a serial port")
        try:
            # Without a timeout for reading, because the next frame does not wait either.
            port = serial.serial_for_url(self.port, baudrate=self.baud, timeout=0, write_timeout=0.1)
        except (serial.SerialException, OSError, ValueError) as error:
            raise StimgenError(f"the serial port {self.port!r} cannot be opened: {error}") from None
        return SerialLine(port)


class SerialLine:
    """An open serial port.

    Parameters
    ----------
    port : serial.Serial
        As pyserial opened it.
    """

    def __init__(self, port: Any) -> None:
        self._port = port

    def send(self, event: Event, code: int) -> None:
        """Write one byte."""
        del event
        self._port.write(bytes([code]))

    def received(self) -> bool:
        """Return whether a byte came in since the last call."""
        return bool(self._port.read(self._port.in_waiting or 1))

    def close(self) -> None:
        """Close the port."""
        self._port.close()
