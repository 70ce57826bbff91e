"""Defines the options of a power analysis, and the observers that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stimgen.experiment.schema.observer_settings import SimulatedObserverSettings
from stimgen.experiment.schema.schema import Experiment
from stimgen.reading.errors import StimgenError

USUAL_PARTICIPANT_SD, USUAL_SOURCE_SD = 0.25, 0.5
"""How much participants and sources differ if nobody says it: as in Wallis et al. (2017), experiment 1."""
LARGEST = 1000


@dataclass(frozen=True)
class PowerOptions:
    """Says which studies are simulated; the attributes are the options of `stimgen power`.

    Attributes
    ----------
    participants : tuple of int
        Numbers of participants.
    repetitions : tuple of int
        Numbers of repetitions, which change the number of trials; none stands for the experiment's own.
    studies : int
        Number of simulated studies.
    effect : float or dict or None
        True d', for all conditions or for each; None stands for what the experiment says of its simulated
        observers.
    participant_sd, source_sd : float or None
        Standard deviation of d' over participants, and over sources, as a share of d'; None stands for the
        experiment's, or .25 and .5.
    correlation : float or None
        Correlation of these differences between conditions; None stands for the experiment's.
    workers : int or None
        Number of processes; None stands for the number of processors. The result does not depend on it.
    confidence : float
        Confidence of the analysis and of the intervals of power.
    resamples : int
        Number of bootstrap samples in the analysis of each study.
    """

    participants: tuple[int, ...] = (8, 12, 16, 20)
    repetitions: tuple[int, ...] = ()
    studies: int = 100
    effect: float | Mapping[str, float] | None = None
    participant_sd: float | None = None
    source_sd: float | None = None
    correlation: float | None = None
    workers: int | None = None
    confidence: float = 0.95
    resamples: int = 500

    def check(self) -> None:
        """Raise a `StimgenError` for numbers that make no study."""
        for name, values in (("participants", self.participants), ("repetitions", self.repetitions)):
            for value in values:
                if not 1 <= value <= LARGEST:
                    raise StimgenError(f"--{name}: {value} is not between 1 and {LARGEST}")
        if not self.participants:
            raise StimgenError("--participants names no number", hint="for example --participants 8,12,16")

    def describe_observers(self, experiment: Experiment) -> SimulatedObserverSettings:
        """Return the description of the observers of the first study.

        Raises
        ------
        StimgenError
            The experiment describes them by a psychometric function, and no effect is given.
        """
        settings = experiment.simulated
        if settings.psychometric is not None and self.effect is None:
            raise StimgenError(
                "simulated.psychometric describes observers who all have the same thresholds",
                hint="give a d' for the power analysis, for example --effect 1.5",
            )
        changes: dict[str, Any] = {
            "participant_sd": self.participant_sd,
            "source_sd": self.source_sd,
            "correlation": self.correlation,
        }
        changes = {name: value for name, value in changes.items() if value is not None}
        if self.effect is not None:
            effect = self.effect if isinstance(self.effect, float) else dict(self.effect)
            changes |= {"dprime": effect, "psychometric": None, "guess": None}
        if not {"participant_sd", "source_sd"} & settings.model_fields_set:
            changes = {"participant_sd": USUAL_PARTICIPANT_SD, "source_sd": USUAL_SOURCE_SD} | changes
        return settings.replace(**changes)
