"""Defines the settings of simulated and model observers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stimgen.experiment.schema.sensitivity import AnySensitivity
from stimgen.reading.model import Integer, Label, Model, Number, Text, validation_error

Probability = Annotated[Number, Field(ge=0.0, le=1.0)]


class PsychometricFunction(Model):
    """Describes a psychometric function of the number of the schedule's level."""

    form: Literal["weibull", "logistic", "normal"] = "weibull"
    """Cumulative distribution."""
    threshold: Number
    """Level at the function's midpoint; for a Weibull function, where it is 1 - 1/e."""
    slope: Number = 3.5
    """The Weibull exponent, or the inverse of the distribution's scale; the function rises with the level if
    the slope is positive, and falls if it is negative."""


class ResponseTimeDistribution(Model):
    """Describes a shifted log-normal distribution of response times (Ulrich & Miller 1993)."""

    shift: Annotated[Number, Field(ge=0.0)] = 0.25
    """Shortest time, in seconds."""
    median: Annotated[Number, Field(gt=0.0)] = 0.35
    """Median of the log-normal part, in seconds."""
    sigma: Annotated[Number, Field(ge=0.0, le=2.0)] = 0.4
    """Standard deviation of its logarithm."""


class SimulatedObserverSettings(Model):
    """Describes an observer of known sensitivity, by `dprime` or by a `psychometric` function."""

    dprime: AnySensitivity | None = None
    """True d', for all trials, for every condition, or as a table by any factors; the default is 1.5."""
    psychometric: PsychometricFunction | None = None
    """Probability of a correct answer, without guesses and lapses; replaces `dprime`."""
    guess: Probability | None = None
    """Lower asymptote of the psychometric function, the proportion correct when guessing; the default is
    chance. In yes-no and same-different it is the rate of false alarms, at any level."""
    participant_sd: Annotated[Number, Field(ge=0.0, le=2.0)] = 0.0
    """Standard deviation of d' over participants, as a share of d'; 0: all participants are alike."""
    source_sd: Annotated[Number, Field(ge=0.0, le=2.0)] = 0.0
    """Standard deviation of d' over sources, as a share of d'; it is the same for all participants."""
    correlation: Probability = 0.5
    """Correlation, between the cells of the design, of these differences (on a logarithmic scale): 1 if who
    is good in one condition is as good in all."""
    scale: dict[Label, Number] = Field(default_factory=dict)
    """For ``mlds``: where every condition, or ``original``, lies on the perceptual scale; the default is
    evenly from 0 to 1 in the order of the scale."""
    dimensions: Annotated[Integer, Field(ge=1, le=100)] = 2
    """For ``triplets``: number of dimensions of the perceptual space, in which every picture lies at a random
    point, with a standard deviation of 1 in each dimension."""
    noise: Annotated[Number, Field(ge=0.0)] = 0.2
    """For ``mlds``: standard deviation of the noise of a decision between two differences. For ``triplets``:
    that of the noise of every picture in each dimension."""
    lapse: Probability = 0.0
    """Proportion of random answers, whatever was shown."""
    metacognition: Annotated[Number, Field(ge=0.0, le=5.0)] = 1.0
    """How well confidence follows the evidence: meta-d' divided by d' (Maniscalco & Lau 2012); 0: not at all,
    1: as signal detection theory predicts."""
    missing: Probability = 0.0
    """Proportion of trials without an answer."""
    time: ResponseTimeDistribution = ResponseTimeDistribution()
    """Distribution of response times."""
    seed: Annotated[Integer, Field(ge=0)] = 1
    """Seed of the simulated study; another seed gives other answers."""

    @model_validator(mode="after")
    def _check_one_way(self) -> SimulatedObserverSettings:
        if self.dprime is not None and self.psychometric is not None:
            raise validation_error("give either dprime or psychometric, not both")
        if self.psychometric is not None and (self.participant_sd or self.source_sd):
            raise validation_error("participant_sd and source_sd need dprime, not psychometric")
        if self.guess is not None and self.psychometric is None:
            raise validation_error(
                "guess needs a psychometric function; with dprime it follows from the paradigm", at="guess"
            )
        return self


class ModelObserverSettings(Model):
    """Describes an observer who compares stored features of the pictures (see ``stimgen features``)."""

    features: Text = "embedded"
    """Name of the features."""
    scaled_by: Literal["pictures", "parts"] = "pictures"
    """What features are measured by: ``pictures``, their standard deviation over all pictures; or ``parts``,
    the differences between parts of one picture, which make no other texture, and weigh less."""
    noise: Annotated[Number, Field(ge=0.0)] = 0.05
    """Standard deviation of the noise added to every feature, relative to the feature's own over the set, or
    over the parts of a picture."""
    time: ResponseTimeDistribution = ResponseTimeDistribution()
    """Distribution of response times."""
    seed: Annotated[Integer, Field(ge=0)] = 1
    """Seed of the simulated study; another seed gives other answers."""
