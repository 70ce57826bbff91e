"""What simulated and model observers are like."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stimgen.reading.model import Integer, Label, Model, Number, Text, validation_error

Probability = Annotated[Number, Field(ge=0.0, le=1.0)]
Sensitivity = Annotated[Number, Field(ge=0.0, le=20.0)]


class PsychometricFunction(Model):
    """A psychometric function over the number of the schedule's level."""

    form: Literal["weibull", "logistic", "normal"] = "weibull"
    """The cumulative distribution."""
    threshold: Number
    """Level at the function's midpoint; of a Weibull function, where it is 1 - 1/e."""
    slope: Number = 3.5
    """Rises with the level where positive, falls where negative: the Weibull exponent, or the inverse of the
    distribution's scale."""


class ResponseTimeDistribution(Model):
    """A shifted log-normal distribution of response times (Ulrich & Miller 1993)."""

    shift: Annotated[Number, Field(ge=0.0)] = 0.25
    """The shortest, in seconds."""
    median: Annotated[Number, Field(gt=0.0)] = 0.35
    """Median of what comes on top, in seconds."""
    sigma: Annotated[Number, Field(ge=0.0, le=2.0)] = 0.4
    """Standard deviation of its logarithm."""


class SimulatedObserverSettings(Model):
    """An observer of known sensitivity: `dprime`, or a `psychometric` function."""

    dprime: Sensitivity | dict[Label, Sensitivity] | None = None
    """True d', for all trials or for every condition; 1.5 where nothing is said."""
    psychometric: PsychometricFunction | None = None
    """Probability of a correct answer instead, apart from guesses and lapses."""
    guess: Probability | None = None
    """Of a psychometric function: the proportion correct of one who sees nothing; chance by default."""
    lapse: Probability = 0.0
    """How often an answer has nothing to do with what was shown, and is any of them."""
    missing: Probability = 0.0
    """How often there is no answer at all."""
    time: ResponseTimeDistribution = ResponseTimeDistribution()
    """How long answers take."""
    seed: Annotated[Integer, Field(ge=0)] = 1
    """Tells one simulated study from another."""

    @model_validator(mode="after")
    def _check_one_way(self) -> SimulatedObserverSettings:
        if self.dprime is not None and self.psychometric is not None:
            raise validation_error("say either dprime or psychometric")
        if self.guess is not None and self.psychometric is None:
            raise validation_error(
                "a guess rate belongs to a psychometric function; with d' it follows from the paradigm",
                at="guess",
            )
        return self


class ModelObserverSettings(Model):
    """An observer who compares features of the pictures, stored with the set by ``stimgen features``."""

    features: Text = "embedded"
    """Name of the features."""
    noise: Annotated[Number, Field(ge=0.0)] = 0.05
    """Standard deviation of what is added to every feature, in units of the feature's own over the set."""
    time: ResponseTimeDistribution = ResponseTimeDistribution()
    """How long answers take."""
    seed: Annotated[Integer, Field(ge=0)] = 1
    """Tells one simulated study from another."""
