"""Defines groups of participants, who see other conditions, sources, sets or orders of blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from stimgen.experiment.design.decisions import participant_labels
from stimgen.experiment.schema.stimuli import Unique
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Label, Model, Number, OneOrMore, Text, TextLine, validation_error

LabelPattern = Annotated[Text, Field(pattern=r"^[A-Za-z0-9?*]{1,32}$")]


class GroupSettings(Model):
    """Describes a group of participants, and what differs for it.

    Without `participants` in any group, participants are dealt out to the groups in turn, by the number at
    the end of their labels: 1 to the first group, 2 to the second, and so on.
    """

    participants: Annotated[tuple[LabelPattern, ...], Unique, OneOrMore()] = ()
    """Labels of the group's participants; ``*`` stands for any characters, and ``?`` for one."""
    sets: Annotated[tuple[TextLine, ...], Unique, OneOrMore()] = ()
    """Those of ``stimuli.sets`` that the group sees; the default is all."""
    conditions: Annotated[tuple[Label, ...], Unique, OneOrMore()] = ()
    """Conditions that the group sees, in order; the default is that of ``stimuli.conditions``."""
    sources: Annotated[tuple[Label, ...], Unique, OneOrMore()] = ()
    """Sources that the group sees; the default is that of ``stimuli.sources``."""
    block_order: Literal["random", "fixed", "latin", "williams"] | None = None
    """Order of the group's blocks; the default is that of the schedule."""
    block_list: tuple[Text | Number | Integer, ...] = ()
    """The group's blocks in order, as in ``schedule.block_list``."""

    @property
    def changes(self) -> dict[str, tuple[str, ...]]:
        """Return what the group has instead of the experiment's ``stimuli``, by key."""
        every = {"sets": self.sets, "conditions": self.conditions, "sources": self.sources}
        return {key: values for key, values in every.items() if values}


Groups = Mapping[str, GroupSettings]


def check_groups(groups: Groups, given: Mapping[str, tuple[str, ...]], form: tuple[str, ...]) -> None:
    """Raise a validation error if groups contradict each other or the experiment.

    `given` holds the experiment's sets, conditions and sources, as far as it names them; `form` the fields of
    the participant's form.
    """
    if not groups:
        return
    if len(groups) == 1:
        raise validation_error("groups: a single group is no group: name two or more", at="groups")
    if "group" in form:
        raise validation_error(
            "the participant's form asks for the group, but `groups` assigns it",
            at="participant",
            hint="take group out of participant.form",
        )
    named = [name for name, group in groups.items() if group.participants]
    if named and len(named) < len(groups):
        other = next(name for name in groups if name not in named)
        raise validation_error(
            f"groups: {named[0]!r} names its participants, but {other!r} does not",
            at="groups",
            hint="name those of every group, or of none: then participants are dealt out in turn",
        )
    for name, group in groups.items():
        for key, values in group.changes.items():
            for value in values:
                if given[key] and value not in given[key]:
                    raise validation_error(
                        f"groups.{name}.{key}: {value!r} is not among stimuli.{key}",
                        given=value,
                        allowed=list(given[key]),
                        at="groups",
                    )


def list_group_labels(groups: Groups, count: int) -> list[str]:
    """Return the labels of `count` participants who are to come, dealt out to the groups in turn.

    Labels are 01, 02, ..., or those that the groups name; a ``*`` becomes a number.

    Raises
    ------
    StimgenError
        The groups name fewer participants.
    """
    width = max(2, len(str(count)))
    if not any(group.participants for group in groups.values()):
        return participant_labels(count)
    turns = (divmod(i, len(groups)) for i in range(count))
    return [_fill_pattern(list(groups)[group], groups, place, width) for place, group in turns]


def _fill_pattern(name: str, groups: Groups, place: int, width: int) -> str:
    """Return the label of the participant at a place of a group, counted from 0."""
    patterns = groups[name].participants
    labels = [pattern for pattern in patterns if not is_pattern(pattern)]
    if place < len(labels):
        return labels[place]
    stars = [pattern for pattern in patterns if "*" in pattern]
    if not stars:
        raise StimgenError(
            f"group {name!r} names too few participants: {len(labels)}",
            hint="name more of them, use a pattern such as A*, or ask for fewer participants",
        )
    number = f"{place - len(labels) + 1:0{width}}"
    return stars[0].replace("*", number, 1).replace("*", "").replace("?", "0")


def is_pattern(label: str) -> bool:
    """Return whether a label of a group stands for several participants."""
    return "*" in label or "?" in label
