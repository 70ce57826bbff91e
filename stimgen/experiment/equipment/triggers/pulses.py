"""Makes pulses: numbers that return to zero after a moment, for equipment that detects edges."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Timer, current_thread


class PulseOutput:
    """Writes a number and, after some seconds, zero again, without making the caller wait.

    If `seconds` is None, a number stays until the next one.
    """

    def __init__(self, write: Callable[[int], None], seconds: float | None) -> None:
        self._write, self._seconds = write, seconds
        self._lock = Lock()
        self._timer: Timer | None = None
        self._failure: OSError | None = None

    def send(self, code: int) -> None:
        """Set a number; it replaces one that is still set.

        Raises `OSError` if the port fails, or failed when the last number was reset.
        """
        with self._lock:
            if self._failure is not None:
                raise self._failure
            self._cancel_reset()
            self._write(code)
            if self._seconds is not None:
                self._timer = Timer(self._seconds, self._reset)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Reset a number that is still set."""
        with self._lock:
            pending = self._timer is not None
            self._cancel_reset()
            if pending:
                self._write(0)

    def _cancel_reset(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _reset(self) -> None:
        with self._lock:
            # A timer that was cancelled too late must not reset the next number.
            if current_thread() is not self._timer:
                return
            self._timer = None
            try:
                self._write(0)
            except OSError as error:
                self._failure = error
