"""Counts how evenly an experiment's trials are spread over participants who are still to come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

from stimgen.experiment.design.balance import BalanceTally, count_sources
from stimgen.experiment.design.decisions import Design, Participant, TrialDecision
from stimgen.experiment.schema.groups import list_group_labels
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.trials.keys import assign_keys
from stimgen.reading.errors import StimgenError
from stimgen.workflow.prepared_experiment import PreparedExperiment

MOST_FURTHER = 100
"""How many further participants are tried, to tell with how many the balance is exact."""


class ListedTrials(NamedTuple):
    """Holds the trials of a participant to come."""

    design: Design
    trials: Sequence[TrialDecision]
    keys: str
    """The keys of the answers, as text."""


def count_trials(
    loaded: LoadedExperiment, participants: int, session: str = "1", stimuli: tuple[Path, ...] = ()
) -> dict[str, Any]:
    """Return how evenly the main trials of so many participants are spread.

    Returns
    -------
    dict
        ``experiment``, ``session``; ``groups``: for each group, or for all participants, ``group``,
        ``participants``, ``cells`` and ``counts``, the trials of every source in every cell; ``each``: the
        same counts for the first participant; ``balance``: for whatever should come equally often, the
        ``least`` and ``most`` often that it comes, whether that is ``exact``, and ``exact_with``, the next
        number of participants (of the group) with which it is; None if that is more than 100 further ones.

    Raises
    ------
    StimgenError
        The experiment cannot be run as it is, its groups name fewer participants, or its schedule is
        adaptive.
    """
    if loaded.experiment.schedule.adaptive:
        raise StimgenError(
            "the schedule is adaptive: answers decide how often each cell comes",
            where=loaded.document.where(("schedule",)),
            hint="name one participant, to list the candidates of the trials: --participant 01",
        )
    prepared = PreparedExperiment.prepare(loaded, stimuli)
    with loaded.at("groups"):
        labels = list_group_labels(loaded.experiment.groups, participants)
    members: dict[str | None, list[tuple[PreparedExperiment, Participant]]] = {}
    for label in labels:
        placed = prepared.choose_group(Participant(label, session))
        members.setdefault(placed[0].group, []).append(placed)
    return {
        "experiment": loaded.experiment.name,
        "session": session,
        "groups": [_count_group(one[0][0], [who for _, who in one]) for one in members.values()],
    }


def _count_group(prepared: PreparedExperiment, participants: Sequence[Participant]) -> dict[str, Any]:
    first = [_list_trials(prepared, participant) for participant in participants]
    design = first[0].design
    tally = _start_tally(prepared, design)
    for one in first:
        tally.add(one.trials, one.keys)
    ranges = [(one.what, *one.range) for one in tally.counts]
    exact_with = _find_exact_numbers(tally, len(first), _walk_further(prepared, participants))
    return {
        "group": prepared.group,
        "participants": [participant.label for participant in participants],
        **count_sources(design, (trial for one in first for trial in one.trials)),
        "each": count_sources(design, first[0].trials)["counts"],
        "balance": [
            {
                "what": what,
                "least": least,
                "most": most,
                "exact": least == most,
                "exact_with": exact_with.get(what),
            }
            for what, least, most in ranges
        ],
    }


def _start_tally(prepared: PreparedExperiment, design: Design) -> BalanceTally:
    schedule = prepared.loaded.experiment.schedule
    rotates = getattr(schedule, "block_order", "random") in ("latin", "williams")
    both = (Participant("1", turn=1), Participant("2", turn=2))
    keys = list(dict.fromkeys(_format_keys(prepared, participant) for participant in both))
    return BalanceTally(design, schedule.blocked_factors if rotates else (), keys)


def _find_exact_numbers(tally: BalanceTally, number: int, further: Iterator[ListedTrials]) -> dict[str, int]:
    """Return for everything that is counted the first number of participants with which it is exact."""
    found = {one.what: number for one in tally.counts if one.exact}
    for total, one in enumerate(islice(further, MOST_FURTHER), number + 1):
        if len(found) == len(tally.counts):
            break
        tally.add(one.trials, one.keys)
        for counted in tally.counts:
            if counted.exact:
                found.setdefault(counted.what, total)
    return found


def _walk_further(
    prepared: PreparedExperiment, participants: Sequence[Participant]
) -> Iterator[ListedTrials]:
    """Yield the trials of further participants, without end; only their numbers in the group matter."""
    for turn in count(len(participants) + 1):
        yield _list_trials(prepared, Participant(str(turn), participants[0].session, turn))


def _list_trials(prepared: PreparedExperiment, participant: Participant) -> ListedTrials:
    design = prepared.build_procedure(participant).design
    trials = prepared.loaded.experiment.schedule.list_decisions(design)
    return ListedTrials(design, trials, _format_keys(prepared, participant))


def _format_keys(prepared: PreparedExperiment, participant: Participant) -> str:
    return str(assign_keys(prepared.loaded.experiment, participant))
