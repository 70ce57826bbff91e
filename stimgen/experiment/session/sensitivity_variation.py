"""Finds how the d' of simulated participants, and that for sources, differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from stimgen.experiment.design.trial import Trial
from stimgen.experiment.schema.observer_settings import SimulatedObserverSettings
from stimgen.experiment.session.true_sensitivity import shows_only_originals
from stimgen.reading.random_numbers import normal


@dataclass(frozen=True)
class SensitivityVariation:
    """Holds factors, log-normal with a mean of 1, that multiply d'.

    So d' has the stated mean and standard deviation, is never negative, and is 0 for everybody where nobody
    can see a difference. In a study that is simulated with another seed there are other participants and
    sources.
    """

    participant: str
    seed: int
    participant_sd: float = 0.0
    source_sd: float = 0.0
    correlation: float = 0.5

    @classmethod
    def build(cls, settings: SimulatedObserverSettings, participant: str) -> SensitivityVariation:
        """Return the variation of a participant in a simulated study."""
        return cls(
            participant, settings.seed, settings.participant_sd, settings.source_sd, settings.correlation
        )

    def find_factor(self, trial: Trial) -> float:
        """Return what multiplies d' in a trial."""
        if not self.participant_sd and not self.source_sd:
            return 1.0
        # Where originals alone are shown, nobody can see of which cell the trial is.
        cell = None if shows_only_originals(trial) else _name_cell(trial)
        return self._find("participant", self.participant, self.participant_sd, cell) * self._find(
            "source", trial.source, self.source_sd, cell
        )

    @property
    def mean_factor(self) -> float:
        """Return what multiplies the participant's mean d', over all sources and cells of the design."""
        return self._find("participant", self.participant, self.participant_sd, None)

    def _find(self, kind: str, name: str, sd: float, cell: str | None) -> float:
        if not sd:
            return 1.0
        return compute_factor((self.seed, kind, name), sd, self.correlation, cell)


def _name_cell(trial: Trial) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(trial.levels.items()))


@lru_cache(maxsize=2**16)
def compute_factor(
    whose: tuple[int, str, str], sd: float, correlation: float, cell: str | None = None
) -> float:
    """Return the factor of somebody (seed, kind, name) in a cell of the design.

    Parameters
    ----------
    whose : tuple
        Seed of the simulated study; ``participant`` or ``source``; and the label.
    sd : float
        Standard deviation of the factors, whose mean is 1.
    correlation : float
        Correlation of their logarithms between cells, from 0 to 1.
    cell : str or None
        Name of the cell; None stands for the mean over all cells that there could be.
    """
    seed, kind, name = whose
    key = ("simulated", seed, "variation", kind, name)
    sigma = math.sqrt(math.log1p(sd * sd))
    shared = sigma * math.sqrt(correlation)
    exponent = shared * float(normal(1, *key)[0]) - shared * shared / 2
    if cell is not None:
        own = sigma * math.sqrt(1 - correlation)
        exponent += own * float(normal(1, *key, cell)[0]) - own * own / 2
    return math.exp(exponent)
