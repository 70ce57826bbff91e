"""Counts how evenly an experiment's trials are spread over participants who are still to come."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

from stimgen.experiment.design.balance import BalanceTally, count_sources
from stimgen.experiment.design.decisions import Design, Participant, TrialDecision, participant_labels
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.trials.keys import assign_keys
from stimgen.reading.errors import StimgenError
from stimgen.workflow.prepared_experiment import PreparedExperiment

MOST_FURTHER = 100
"""How many further participants are tried, to tell with how many the balance is exact."""


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
        number of participants with which it is; None if that is more than 100 further ones.

    Raises
    ------
    StimgenError
        The experiment cannot be run as it is, or its schedule is adaptive.
    """
    if loaded.experiment.schedule.adaptive:
        raise StimgenError(
            "the schedule is adaptive: answers decide how often each cell comes",
            where=loaded.document.where(("schedule",)),
            hint="name one participant, to list the candidates of the trials: --participant 01",
        )
    prepared = PreparedExperiment.prepare(loaded, stimuli)
    return {
        "experiment": loaded.experiment.name,
        "session": session,
        "groups": [_count_group(prepared, participants, session)],
    }


def _count_group(prepared: PreparedExperiment, number: int, session: str) -> dict[str, Any]:
    experiment = prepared.loaded.experiment
    walk = _walk_participants(prepared, session)
    first = list(islice(walk, number))
    design = first[0][0]
    keys = list(dict.fromkeys(_format_keys(prepared, Participant(label)) for label in ("1", "2")))
    tally = BalanceTally(design, experiment.schedule.blocked_factors, keys)
    for one, trials in first:
        tally.add(trials, _format_keys(prepared, one.participant))
    ranges = [(one.what, *one.range) for one in tally.counts]
    exact_with = {one.what: number for one in tally.counts if one.exact}
    for further, (one, trials) in enumerate(islice(walk, MOST_FURTHER), number + 1):
        if len(exact_with) == len(tally.counts):
            break
        tally.add(trials, _format_keys(prepared, one.participant))
        for counted in tally.counts:
            if counted.exact:
                exact_with.setdefault(counted.what, further)
    return {
        "group": None,
        "participants": [one.participant.label for one, _ in first],
        **count_sources(design, (trial for _, trials in first for trial in trials)),
        "each": count_sources(design, first[0][1])["counts"],
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


def _walk_participants(
    prepared: PreparedExperiment, session: str
) -> Iterator[tuple[Design, tuple[TrialDecision, ...]]]:
    """Yield design and trials of participants 01, 02, ... without end."""
    for number in count(1):
        label = participant_labels(number)[-1]
        design = prepared.build_procedure(Participant(label, session)).design
        yield design, prepared.loaded.experiment.schedule.list_decisions(design)


def _format_keys(prepared: PreparedExperiment, participant: Participant) -> str:
    return str(assign_keys(prepared.loaded.experiment, participant))
