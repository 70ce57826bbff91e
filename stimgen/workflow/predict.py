"""Predicts which conditions are hard, by observers who know only features of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stimgen.analysis.accuracy import compute_accuracy
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.experiment.schema.groups import list_group_labels
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.reading.atomic import write_atomically
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.features import FEATURES
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.simulated_study import SimulatedParticipant, SimulatedStudy

if TYPE_CHECKING:
    import pandas as pd

ScaledBy = Literal["pictures", "parts"]


@dataclass(frozen=True)
class PredictOptions:
    """Says what is predicted; the attributes are the options of `stimgen predict`.

    Attributes
    ----------
    features : tuple of str
        Names of features that ``stimgen features`` stored; none stands for all that every set has.
    participants : int
        Number of participants whose trials are answered.
    scaled_by : str
        What features are measured by; see `ModelObserverSettings`.
    noise : float or None
        Standard deviation of the noise of each feature; None stands for the experiment's.
    """

    features: tuple[str, ...] = ()
    participants: int = 4
    scaled_by: ScaledBy = "parts"
    noise: float | None = None


@dataclass(frozen=True)
class Prediction:
    """Holds how often observers with different features are correct."""

    experiment: str
    chance: float | None
    scaled_by: ScaledBy
    participants: int
    accuracy: pd.DataFrame
    """One row for each of the features and each cell: ``features``, the columns of `compute_accuracy`, and
    ``rank``, 1 for the hardest cell."""
    factors: tuple[str, ...]

    def write(self, file: Path) -> None:
        """Write the table as a CSV file, which replaces an earlier one."""
        text = self.accuracy.to_csv(index=False, float_format="%.6g", na_rep="n/a", lineterminator="\n")
        with write_atomically(file) as stream:
            stream.write(text.encode("utf-8"))

    def to_dict(self) -> dict[str, Any]:
        """Return the prediction as JSON-ready values."""
        rows = self.accuracy.astype(object).where(self.accuracy.notna(), None)
        return {
            "experiment": self.experiment,
            "chance": self.chance,
            "scaled_by": self.scaled_by,
            "participants": self.participants,
            "accuracy": rows.to_dict("records"),
        }


def predict_accuracy(
    loaded: LoadedExperiment, options: PredictOptions, stimuli: tuple[Path, ...] = ()
) -> Prediction:
    """Let the model observer answer the trials of an experiment, once for each kind of features.

    Trials are those of ``stimgen trials``. No frames are drawn, and no journals written.

    Raises
    ------
    StimgenError
        A set has no such features, the schedule is adaptive, no answer is correct, or the experiment cannot
        be run as it is.
    """
    import pandas as pd

    _refuse_unpredictable(loaded)
    prepared = PreparedExperiment.prepare(loaded, stimuli)
    names = options.features or _find_common_features(prepared.pools)
    with loaded.at("groups"):
        labels = list_group_labels(loaded.experiment.groups, options.participants)
    members = tuple(SimulatedParticipant.list_trials(prepared, Participant(label)) for label in labels)
    study = SimulatedStudy(members, loaded.experiment.exclusions)
    parts, table = [], None
    for name in names:
        changes: dict[str, Any] = {"features": name, "scaled_by": options.scaled_by}
        if options.noise is not None:
            changes["noise"] = options.noise
        table = study.simulate(loaded.experiment.model.replace(**changes))
        found = compute_accuracy(table, table.factors)
        found.insert(0, "features", name)
        parts.append(found.assign(rank=found["proportion"].rank(method="min").astype("Int64")))
    assert table is not None
    return Prediction(
        loaded.experiment.name,
        table.chance,
        options.scaled_by,
        options.participants,
        pd.concat(parts, ignore_index=True),
        table.factors,
    )


def _refuse_unpredictable(loaded: LoadedExperiment) -> None:
    experiment = loaded.experiment
    if experiment.schedule.adaptive:
        raise StimgenError(
            "the schedule is adaptive: it leaves no condition hard or easy",
            where=loaded.document.where(("schedule",)),
            hint="write schedule: constant in a copy of the file",
        )
    if not experiment.paradigm.has_correct_answer:
        raise StimgenError(
            f"the paradigm {experiment.paradigm.name!r} has no correct answers to predict",
            where=loaded.document.where(("paradigm",)),
        )


def _find_common_features(pools: Sequence[PicturePool]) -> tuple[str, ...]:
    """Return the names of the features that all sets have."""
    stores = [store for pool in pools for store in pool.stores]
    kinds = [{file.stem for file in (store.folder / FEATURES).glob("*.json")} for store in stores]
    found = sorted(set.intersection(*kinds))
    if not found:
        raise StimgenError(
            "has no features" if len(stores) == 1 else "and the other sets have no features in common",
            where=stores[0].folder,
            hint=f"where torch is installed: stimgen features {stores[0].folder}",
        )
    return tuple(found)
