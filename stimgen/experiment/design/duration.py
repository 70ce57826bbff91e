"""Durations: either frames or milliseconds are what was meant, and the other follows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from pydantic import GetJsonSchemaHandler, model_serializer, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Model, Number, validation_error

DURATION_PATTERN = r"^([0-9]+(?:\.[0-9]+)?) ?(ms|frames?)$"


class Duration(Model):
    """How long something is on the screen: ``200 ms`` or ``24 frames``, whichever is authoritative."""

    value: Number
    """A number of the unit; of frames a whole one."""
    unit: Literal["ms", "frames"]
    """What is authoritative."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, (Mapping, Duration)):
            return value
        # A whole match, because `$` lets a line feed follow.
        found = re.fullmatch(DURATION_PATTERN, value) if isinstance(value, str) else None
        if found is None:
            raise validation_error(f"{value!r} is no duration", hint="say '200 ms' or '24 frames'")
        return {"value": float(found[1]), "unit": "ms" if found[2] == "ms" else "frames"}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the schema of the text beside that of a mapping."""
        return {"anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, handler(schema)]}

    @model_validator(mode="after")
    def _check(self) -> Duration:
        if not 0 <= self.value <= 3_600_000:
            raise validation_error("a duration lies between 0 and an hour")
        if self.unit == "frames" and self.value != int(self.value):
            raise validation_error("a number of frames is a whole one")
        return self

    @model_serializer
    def _to_text(self) -> str:
        return str(self)

    def __str__(self) -> str:
        """Return it as it is written in an experiment.

        Examples
        --------
        >>> str(Duration.model_validate("200 ms")), str(Duration.model_validate("1 frame"))
        ('200 ms', '1 frames')
        """
        # Every digit and no exponent, because it is read again.
        return f"{Decimal(repr(self.value)).normalize():f} {self.unit}"

    def frames(self, refresh_hz: float, tolerance_ms: float) -> int:
        """Return the number of refreshes.

        Raises
        ------
        StimgenError
            It is given in milliseconds and no number of frames is as near as `tolerance_ms`.
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
                f"{self} is {exact:.2f} frames at {refresh_hz:g} Hz: no whole number is within "
                f"{tolerance_ms:g} ms",
                hint=f"say {' or '.join(near)}; or raise timing.tolerance_ms",
            )
        return count

    def milliseconds(self, refresh_hz: float) -> float:
        """Return milliseconds."""
        return self.value if self.unit == "ms" else self.value * 1000 / refresh_hz


def ms(value: float) -> Duration:
    """Return a duration of so many milliseconds."""
    return Duration(value=float(value), unit="ms")
