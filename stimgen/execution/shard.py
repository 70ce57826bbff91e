"""Divides a plan between computers that know nothing of each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stimgen.protocol.plan import PlannedStimulus
from stimgen.reading.errors import StimgenError

MAX_SHARDS = 100_000  # more than any array of jobs has


@dataclass(frozen=True)
class Shard:
    """Represents part `number`, counted from 1, of so many `parts`: every so many-th batch of a plan."""

    number: int
    parts: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that ``I/N`` stands for.

        Raises `StimgenError` if the text is not two numbers, or I is not from 1 to N.

        Examples
        --------
        >>> Shard.parse("2/3")
        Shard(number=2, parts=3)
        """
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
        if found is None:
            raise StimgenError(f"{text!r} is not a shard: write I/N, such as 2/3 for the second of three")
        number, parts = int(found[1]), int(found[2])
        if not 1 <= parts <= MAX_SHARDS:
            raise StimgenError(f"{text!r}: there can be 1 to {MAX_SHARDS:,} shards")
        if not 1 <= number <= parts:
            numbers = f"they are numbered from 1 to {parts}"
            raise StimgenError(f"{text!r}: there is no shard {number} of {parts}: {numbers}")
        return cls(number, parts)

    @property
    def name(self) -> str:
        """Return the name of the part, for its lock."""
        return f"shard-{self.number}-of-{self.parts}"

    def __str__(self) -> str:
        """Return the shard as the command line writes it."""
        return f"{self.number}/{self.parts}"

    def select_batches(self, batches: Sequence[list[PlannedStimulus]]) -> list[list[PlannedStimulus]]:
        """Return this part of a plan's batches; neighbours go to different shards, for equal times."""
        return list(batches[self.number - 1 :: self.parts])
