"""Defines what is recorded of the threshold of an adaptive track."""

from __future__ import annotations

from stimgen.reading.model import Model

UNITS = {"duration": "ms", "soa": "ms", "eccentricity": "deg", "regions": "regions", "depth": "layers"}
"""Unit of a level by its dimension; scaling and numbers given for conditions have none."""


class TrackReversal(Model):
    """Describes a trial at which a staircase turned."""

    trial: int
    """Index of the trial in the session."""
    level: float
    used: bool
    """Whether the threshold is an average over this reversal and others."""


class ThresholdPosterior(Model):
    """Describes what is known of a threshold after the last trial: a probability for every possible value."""

    values: tuple[float, ...]
    """Possible thresholds, rising, in units of the level."""
    probabilities: tuple[float, ...]
    mean: float
    sd: float
    """Standard deviation in units of the level."""
    quantiles: dict[str, float]
    """Value up to which the probability is at least 0.025, 0.16, 0.5, 0.84 and 0.975."""
    entropy: float
    """Uncertainty in bits: 0 if one value is certain."""


class TrackChange(Model):
    """Describes what a trial changed in its track."""

    reversal: bool | None = None
    """Whether the staircase turned at the trial; None without a staircase."""
    mean: float | None = None
    """Mean of the threshold's posterior by QUEST+ after the trial."""
    sd: float | None = None
    """Its standard deviation."""
    entropy: float | None = None
    """Its uncertainty in bits."""


class TrackThreshold(Model):
    """Holds the threshold of a track, or why there is none."""

    track: str
    """Name of the track."""
    level: str
    """What the threshold is a value of, such as ``scaling``."""
    unit: str | None
    """Unit of the level; None if it has none."""
    threshold: float | None
    reason: str | None = None
    """Why there is no threshold; None if there is one."""
    method: str
    """How the threshold was computed."""
    target: str
    """What holds at the threshold, such as ``0.707 correct``."""
    trials: int
    """Number of trials of the track."""
    counted: int
    """Number of trials that moved the track: with a signal, and with an answer."""
    without_signal: int = 0
    """Number of trials without a signal, which did not move the track."""
    sd: float | None = None
    """Standard deviation of the reversals that were averaged, or of the posterior."""
    reversals: tuple[TrackReversal, ...] = ()
    """Reversals of a staircase, in order."""
    posterior: ThresholdPosterior | None = None
    """Posterior of the threshold by QUEST+."""
    estimates: dict[str, float] = {}
    """Posterior means of the other parameters by QUEST+."""

    def to_summary(self) -> dict[str, float | str | None]:
        """Return the few figures that are printed after a session."""
        found: dict[str, float | str | None] = {"threshold": self.threshold}
        if self.reason is not None:
            found["reason"] = self.reason
        if self.posterior is not None:
            found |= {"threshold_sd": self.posterior.sd, **self.estimates}
        else:
            found["reversals"] = len(self.reversals)
        return found | {"trials": self.trials}
