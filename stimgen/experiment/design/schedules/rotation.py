"""Rotates sources over cells, so that each participant sees every source in one cell only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stimgen.experiment.design.decisions import Design, Scalar, combine_factors
from stimgen.experiment.design.schedules.counterbalance import FIRST_EXEMPLARS, assign_order
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream


@dataclass(frozen=True)
class SourceRotation:
    """Says in which rotated cell a participant sees each source.

    The sources are dealt into as many lists as there are rotated cells, each kind of sources evenly. A Latin
    square gives each list to another cell for every participant of a round. The lists are the same for all
    participants and sessions.
    """

    cells: tuple[Mapping[str, Scalar], ...]
    """The combinations of the rotated factors; a single one without factors if nothing is rotated."""
    lists: Mapping[str, int]
    """The list of every source, from 0."""
    place: int
    """The participant's row of the Latin square, from 0."""
    turn: int
    """The participant's number among those with the same row, from 1; all other counterbalancing uses it, so
    that each of its orders occurs with each row."""

    @classmethod
    def of(cls, design: Design, rotated: Sequence[str]) -> SourceRotation:
        """Return the rotation of a participant; without `rotated` factors, every source is in every cell."""
        cells = tuple(combine_factors(factor for factor in design.factors if factor.name in rotated))
        number = find_participant_number(design)
        if len(cells) == 1:
            return cls(cells, dict.fromkeys(design.sources, 0), 0, number)
        kinds = dict(design.kinds)
        dealt = sorted(
            RandomStream(*design.key, "rotation").permutation(design.sources),
            key=lambda source: kinds.get(source, ""),
        )
        lists = {source: i % len(cells) for i, source in enumerate(dealt)}
        return cls(cells, lists, assign_order(number, len(cells)), (number - 1) // len(cells) + 1)

    def find_cell(self, source: str) -> Mapping[str, Scalar]:
        """Return the values of the rotated factors that the participant sees a source with."""
        return self.cells[(self.lists[source] + self.place) % len(self.cells)]

    def is_shown(self, source: str, levels: Mapping[str, Scalar]) -> bool:
        """Return whether the participant sees a source in the cell with these values of all factors."""
        return self.find_cell(source).items() <= levels.items()


def list_cell_sizes(design: Design, rotated: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers of sources that a cell can have for a participant: one number, or two neighbours."""
    cells = len(combine_factors(factor for factor in design.factors if factor.name in rotated))
    fewest, left = divmod(len(design.sources), cells)
    return (fewest, fewest + 1) if left else (fewest,)


def check_rotation(design: Design, rotated: Sequence[str]) -> None:
    """Raise a `StimgenError` if a participant would see no source in some of the rotated cells."""
    cells, sources = len(combine_factors(f for f in design.factors if f.name in rotated)), len(design.sources)
    if rotated and sources < cells:
        raise StimgenError(
            f"schedule.rotated: {sources} source{'s'[: sources > 1]} cannot be dealt out to {cells} cells "
            f"({' x '.join(rotated)}): every participant would miss some of them",
            hint=f"use at least {cells} sources, best a multiple of {cells}; or rotate fewer factors",
        )


def find_participant_number(design: Design) -> int:
    """Return the participant's number; a random one if the label has none."""
    if design.participant.number is not None:
        return design.participant.number
    return RandomStream(*design.participant_key, "number").randbelow(FIRST_EXEMPLARS) + 1
