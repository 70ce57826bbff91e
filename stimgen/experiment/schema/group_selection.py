"""Finds the group of a participant, and the experiment as the group sees it."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.schema.groups import Groups, GroupSettings, is_pattern
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.schema import Experiment
from stimgen.reading.errors import StimgenError


def assign_group(groups: Groups, participant: Participant) -> tuple[str, Participant]:
    """Return the group of a participant, and the participant with the number that it has in the group.

    Everything that is counterbalanced goes by this number: the place among the labels that a group lists; the
    number at the end of a label that matches a pattern; or the turn of a participant who is dealt out to the
    groups by number.

    Raises
    ------
    StimgenError
        The participant belongs to no group, or to several; or is to be dealt out, but has no number.
    """
    if not any(group.participants for group in groups.values()):
        return _deal_out(groups, participant)
    named = [name for name, group in groups.items() if _includes(group, participant.label)]
    if len(named) > 1:
        raise StimgenError(
            f"participant {participant.label!r} belongs to several groups: {', '.join(named)}",
            hint="change the labels under groups, so that they name this participant once",
        )
    if not named:
        labels = [label for group in groups.values() for label in group.participants]
        raise StimgenError(
            f"participant {participant.label!r} belongs to no group",
            given=participant.label,
            allowed=labels,
            hint="use a label that a group names, or add this one under groups",
        )
    return named[0], replace(participant, turn=_find_turn(groups[named[0]], participant))


def _deal_out(groups: Groups, participant: Participant) -> tuple[str, Participant]:
    number = participant.number
    if number is None:
        raise StimgenError(
            "participants are dealt out to groups by the number at the end of their label, but "
            f"{participant.label!r} has none",
            hint="use labels such as 01, 02, ..., or name the participants of every group",
        )
    turn, place = divmod(number - 1, len(groups))
    return list(groups)[place], replace(participant, turn=turn + 1)


def _includes(group: GroupSettings, label: str) -> bool:
    return any(fnmatchcase(label, pattern) for pattern in group.participants)


def _find_turn(group: GroupSettings, participant: Participant) -> int | None:
    """Return the place among listed labels, from 1; None if the label's own number is to count."""
    if any(map(is_pattern, group.participants)):
        return None
    return group.participants.index(participant.label) + 1


def select_group(loaded: LoadedExperiment, name: str | None) -> LoadedExperiment:
    """Return an experiment as a group sees it; unchanged without a name.

    Raises
    ------
    StimgenError
        The experiment has no such group.
    """
    if name is None:
        return loaded
    experiment, groups = loaded.experiment, loaded.experiment.groups
    if name not in groups:
        raise StimgenError(
            f"the experiment has no group {name!r}",
            where=loaded.document.where(("groups",)),
            given=name,
            allowed=list(groups),
        )
    stimuli = experiment.stimuli.replace(**groups[name].changes, **_change_labels(experiment, groups[name]))
    schedule = _change_schedule(experiment, groups[name])
    # Not validated again: other groups name sets and conditions that this one does not have.
    changed = experiment.model_copy(update={"stimuli": stimuli, "schedule": schedule})
    return replace(loaded, experiment=changed)


def select_folders(loaded: LoadedExperiment, name: str, folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return those of the sets' folders, named in the order of ``stimuli.sets``, that a group sees.

    Raises
    ------
    StimgenError
        The group has sets of its own, and the folders are not as many as the sets.
    """
    wanted, sets = loaded.experiment.groups[name].sets, loaded.experiment.stimuli.sets
    if not folders or not wanted:
        return folders
    if len(folders) != len(sets):
        raise StimgenError(
            f"groups have sets of their own, but {len(folders)} of {len(sets)} sets are named with --stimuli",
            hint="name a folder for each of stimuli.sets, in their order",
        )
    return tuple(folders[sets.index(one)] for one in wanted)


def _change_labels(experiment: Experiment, group: GroupSettings) -> dict[str, tuple[str, ...]]:
    """Return the labels of the group's sets, if it has sets of its own and they have labels."""
    sets, labels = experiment.stimuli.sets, experiment.stimuli.labels
    if not group.sets or not labels:
        return {}
    return {"labels": tuple(labels[sets.index(one)] for one in group.sets)}


def _change_schedule(experiment: Experiment, group: GroupSettings) -> Any:
    """Return the schedule with the group's order of blocks, and with numbers for its conditions only."""
    changes: dict[str, Any] = {}
    if group.block_list:
        changes["block_list"] = group.block_list
    elif group.block_order is not None:
        changes |= {"block_order": group.block_order, "block_list": ()}
    if group.conditions:
        values = experiment.schedule.values
        changes["values"] = {name: values[name] for name in values if name in group.conditions}
    known = type(experiment.schedule).model_fields
    return experiment.schedule.replace(**{key: value for key, value in changes.items() if key in known})
