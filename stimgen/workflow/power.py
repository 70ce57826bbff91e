"""Estimates how often a planned study finds its effect, by simulating whole studies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimgen.analysis.power import ABOVE_CHANCE, compute_rates, find_effects
from stimgen.analysis.settings import AnalysisSettings
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.schema.groups import list_group_labels
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.observer_settings import SimulatedObserverSettings
from stimgen.reading.errors import StimgenError
from stimgen.workflow.power_options import PowerOptions
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.simulated_study import SimulatedParticipant, SimulatedStudy, select_participants

if TYPE_CHECKING:
    import pandas as pd

EFFECT, NO_EFFECT, EQUAL = "effect", "no effect", "equal conditions"
"""What studies are simulated with: the true d'; d' = 0 in all conditions; and the mean d' in all."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PowerResults:
    """Holds how often simulated studies found something."""

    experiment: str
    settings: SimulatedObserverSettings
    studies: int
    confidence: float
    rates: pd.DataFrame
    """One row for each number of repetitions, number of participants and test: ``repetitions``,
    ``participants``, ``trials`` (main trials of a participant), what `find_effects` says of the test,
    ``estimate``, ``power`` with ``power_low`` and ``power_high``, and ``false_alarms`` without an effect,
    with ``false_alarms_low`` and ``false_alarms_high``."""

    def to_dict(self) -> dict[str, Any]:
        """Return the results as JSON-ready values."""
        rows = self.rates.astype(object).where(self.rates.notna(), None)
        return {
            "experiment": self.experiment,
            "studies": self.studies,
            "simulated": self.settings.to_dict(),
            "rates": rows.to_dict("records"),
        }


@dataclass(frozen=True)
class _Job:
    """Holds what a worker process needs in order to simulate any study."""

    study: SimulatedStudy
    settings: Mapping[str, SimulatedObserverSettings]
    labels: Mapping[int, tuple[str, ...]]
    analysis: AnalysisSettings

    def run(self, kind: str, number: int) -> pd.DataFrame:
        """Return what is found in a study, counted from 0, with each number of participants."""
        import pandas as pd

        settings = self.settings[kind]
        table = self.study.simulate(settings.model_copy(update={"seed": settings.seed + number}))
        parts = [
            find_effects(select_participants(table, labels), self.analysis).assign(participants=count)
            for count, labels in self.labels.items()
        ]
        return pd.concat(parts, ignore_index=True).assign(kind=kind)


def estimate_power(
    loaded: LoadedExperiment,
    options: PowerOptions,
    stimuli: tuple[Path, ...] = (),
    report: Progress | None = None,
) -> PowerResults:
    """Simulate whole studies, and return how often they find the effect, and find one that is not there.

    Trials, observers and analysis are those of ``stimgen trials``, ``stimgen run --observer simulated`` and
    ``stimgen analyze``; no frames are drawn, and no journals written. In each study, participants and sources
    are drawn anew. A study of fewer participants has the first of a study of more.

    Parameters
    ----------
    loaded : LoadedExperiment
        The experiment.
    options : PowerOptions
        Which studies.
    stimuli : tuple of Path
        Sets instead of the experiment's own.
    report : callable, optional
        Called with the number of studies that are done, and of all.

    Raises
    ------
    StimgenError
        There is nothing to test, the schedule is adaptive, or the experiment cannot be run as it is.
    """
    import pandas as pd

    options.check()
    _refuse_untestable(loaded)
    with loaded.at("simulated"):
        settings = options.describe_observers(loaded.experiment)
    plans = options.repetitions or (loaded.experiment.schedule.model_dump().get("repetitions", 1),)
    jobs = [_prepare_job(_repeat(loaded, plan), options, settings, stimuli) for plan in plans]
    calls = [
        (place, kind, number)
        for place in range(len(jobs))
        for number in range(options.studies)
        for kind in (EFFECT, NO_EFFECT, EQUAL)
    ]
    found: list[list[pd.DataFrame]] = [[] for _ in jobs]
    for done, (call, one) in enumerate(zip(calls, _run_all(jobs, calls, options.workers), strict=True), 1):
        found[call[0]].append(one)
        if report is not None:
            report(done, len(calls))
    parts = []
    for plan, job, tables in zip(plans, jobs, found, strict=True):
        rates = _summarise(pd.concat(tables, ignore_index=True), options.confidence)
        rates.insert(0, "repetitions", plan)
        rates.insert(2, "trials", _count_trials(job))
        parts.append(rates)
    return PowerResults(
        loaded.experiment.name,
        settings,
        options.studies,
        options.confidence,
        pd.concat(parts, ignore_index=True),
    )


def _refuse_untestable(loaded: LoadedExperiment) -> None:
    if loaded.experiment.schedule.adaptive:
        raise StimgenError(
            "the schedule is adaptive: it estimates thresholds, and proportions correct are what it steers",
            where=loaded.document.where(("schedule",)),
            hint="simulate whole studies and see how well they find the threshold: stimgen run EXPERIMENT "
            "--observer simulated --participants 20, and stimgen analyze rehearsal/NAME",
        )
    if loaded.experiment.paradigm.is_stream:
        raise StimgenError(
            "the answers of a stream are hits and false alarms, and chance has no proportion of them correct",
            where=loaded.document.where(("paradigm",)),
            hint="simulate studies with --observer simulated, and compare their hits and false alarms",
        )
    if not loaded.experiment.paradigm.has_correct_answer:
        raise StimgenError(
            f"there is nothing to test: the paradigm {loaded.experiment.paradigm.name!r} has no correct "
            "answers",
            where=loaded.document.where(("paradigm",)),
        )


def _repeat(loaded: LoadedExperiment, repetitions: int) -> LoadedExperiment:
    """Return the experiment with another number of repetitions."""
    with loaded.at("schedule"):
        schedule = loaded.experiment.schedule.replace(repetitions=repetitions)
    return replace(loaded, experiment=loaded.experiment.model_copy(update={"schedule": schedule}))


def _prepare_job(
    loaded: LoadedExperiment,
    options: PowerOptions,
    settings: SimulatedObserverSettings,
    stimuli: tuple[Path, ...],
) -> _Job:
    prepared = PreparedExperiment.prepare(loaded, stimuli)
    with loaded.at("groups"):
        labels = {
            count: tuple(list_group_labels(loaded.experiment.groups, count)) for count in options.participants
        }
    everybody = dict.fromkeys(label for group in labels.values() for label in group)
    members = tuple(SimulatedParticipant.list_trials(prepared, Participant(label)) for label in everybody)
    study = SimulatedStudy(members, loaded.experiment.exclusions)
    try:
        mean = members[0].find_mean_dprime(settings)
    except StimgenError as error:
        raise error if options.effect is None else error.add_prefix("--effect") from None
    kinds = {
        EFFECT: settings,
        NO_EFFECT: settings.replace(dprime=0.0),
        EQUAL: settings.replace(dprime=mean),
    }
    analysis = AnalysisSettings(confidence=options.confidence, resamples=options.resamples)
    return _Job(study, kinds, labels, analysis)


_Call = tuple[int, str, int]
"""Place of a job, what its studies are simulated with, and the study's number."""


def _run_all(jobs: Sequence[_Job], calls: Sequence[_Call], workers: int | None) -> Iterator[pd.DataFrame]:
    """Yield what the studies find, in their order."""
    count = min(workers or os.cpu_count() or 1, len(calls))
    if count == 1:
        yield from (jobs[place].run(kind, number) for place, kind, number in calls)
        return
    # A server that has the imports made once is forked for each worker; Windows has none.
    context = get_context("forkserver" if "forkserver" in get_all_start_methods() else "spawn")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(count, context, partial(_start_worker, jobs)) as pool:
        yield from pool.map(_run_in_worker, calls, chunksize=max(1, min(8, len(calls) // (4 * count))))


_JOBS: list[_Job] = []
"""What this worker process was started for."""


def _start_worker(jobs: Sequence[_Job]) -> None:
    _JOBS[:] = jobs


def _run_in_worker(call: _Call) -> pd.DataFrame:
    place, kind, number = call
    return _JOBS[place].run(kind, number)


def _summarise(found: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Return power and false alarms of each test with each number of participants."""
    keys = [name for name in found.columns if name not in ("estimate", "found", "kind")]
    keys = ["participants", *(name for name in keys if name != "participants")]
    power = compute_rates(found[found["kind"] == EFFECT], keys, confidence)
    against = (found["kind"] == NO_EFFECT) & (found["test"] == ABOVE_CHANCE)
    between = (found["kind"] == EQUAL) & (found["test"] != ABOVE_CHANCE)
    alarms = compute_rates(found[against | between], keys, confidence).drop(columns=["studies", "estimate"])
    names = ("rate", "low", "high")
    power = power.rename(columns=dict(zip(names, ("power", "power_low", "power_high"), strict=True)))
    told = ("false_alarms", "false_alarms_low", "false_alarms_high")
    alarms = alarms.rename(columns=dict(zip(names, told, strict=True)))
    return power.merge(alarms, on=keys, how="left")


def _count_trials(job: _Job) -> float:
    """Return the mean number of main trials of a participant."""
    members = job.study.members
    return sum(trial.is_main for member in members for trial in member.trials) / len(members)
