"""Defines durations, which are given either in frames or in milliseconds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import GetJsonSchemaHandler, model_serializer, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Model, Number, validation_error


class TimeText(Model):
    """Is the base of times that are written as a number and its unit; both are kept exactly."""

    value: Number
    unit: str

    pattern: ClassVar[str]
    mistake: ClassVar[str]
    """What is wrong with a text that does not match the pattern."""
    example: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, (Mapping, cls)):
            return value
        # Not `match`: `$` would allow a line feed at the end.
        found = re.fullmatch(cls.pattern, value) if isinstance(value, str) else None
        if found is None:
            raise validation_error(f"{value!r} {cls.mistake}", hint=f"write {cls.example}")
        return {"value": float(found[1]), "unit": "frames" if found[2] == "frame" else found[2]}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return a JSON schema that accepts the text or a mapping."""
        return {
            "anyOf": [
                {"type": "string", "pattern": cls.pattern},
                super().__get_pydantic_json_schema__(schema, handler),
            ]
        }

    @model_serializer
    def _to_text(self) -> str:
        return str(self)

    def __str__(self) -> str:
        """Return the time as it is written in an experiment.

        Examples
        --------
        >>> str(Duration.model_validate("200 ms")), str(Duration.model_validate("1 frame"))
        ('200 ms', '1 frames')
        """
        # Every digit and no exponent, because the text is parsed again.
        return f"{Decimal(repr(self.value)).normalize():f} {self.unit}"


class Duration(TimeText):
    """Represents how long something is on the screen: ``200 ms`` or ``24 frames``."""

    value: Number
    """Number of milliseconds, or whole number of frames."""
    unit: Literal["ms", "frames"]
    """The unit in which the duration was given; it is kept exactly."""

    pattern = r"^([0-9]+(?:\.[0-9]+)?) ?(ms|frames?)$"
    mistake = "is not a duration"
    example = "'200 ms' or '24 frames'"

    @model_validator(mode="after")
    def _check(self) -> Duration:
        if not 0 <= self.value <= 3_600_000:
            raise validation_error("a duration must be between 0 and 3,600,000 ms or frames")
        if self.unit == "frames" and self.value != int(self.value):
            raise validation_error("the number of frames must be a whole number")
        return self

    def count_frames(self, refresh_hz: float, tolerance_ms: float) -> int:
        """Return the number of refreshes.

        A duration in milliseconds that no whole number of frames matches within `tolerance_ms` raises a
        `StimgenError`.
        """
        if self.unit == "frames":
            return int(self.value)
        exact = self.value * refresh_hz / 1000
        count = round(exact)
        if abs(count - exact) * 1000 / refresh_hz > tolerance_ms + 1e-9:
            near = [
                f"'{n} frames' ({n * 1000 / refresh_hz:.1f} ms)"
                for n in dict.fromkeys((max(1, int(exact)), int(exact) + 1))
            ]
            raise StimgenError(
                f"{self} is {exact:.2f} frames at {refresh_hz:g} Hz: no whole number of frames is within "
                f"{tolerance_ms:g} ms",
                hint=f"write {' or '.join(near)}, or raise timing.tolerance_ms",
            )
        return count

    def milliseconds(self, refresh_hz: float) -> float:
        """Return the duration in milliseconds."""
        return self.value if self.unit == "ms" else self.value * 1000 / refresh_hz


class TimeLimit(TimeText):
    """Represents a limit of what people take, such as a response time or a break: ``200 ms`` or ``5 s``."""

    value: Number
    """Number of milliseconds or seconds."""
    unit: Literal["ms", "s"]
    """The unit in which it was given; it is kept exactly."""

    pattern = r"^([0-9]+(?:\.[0-9]+)?) ?(ms|s)$"
    mistake = "is not a time"
    example = "'200 ms' or '5 s'"

    @property
    def seconds(self) -> float:
        """Return the limit in seconds."""
        return self.value / 1000 if self.unit == "ms" else self.value


def ms(value: float) -> Duration:
    """Return a duration in milliseconds."""
    return Duration(value=float(value), unit="ms")
