"""Defines naming and categorisation."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator
from typing_extensions import override

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import (
    Arrangement,
    Pairing,
    Perception,
    PictureSlot,
    draw_observations,
)
from stimgen.experiment.design.paradigms.places import PlacedParadigm
from stimgen.experiment.design.trial import ORIGINAL, SYNTHESIS, Role, Trial
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Label, Number, TextLine, validation_error
from stimgen.reading.random_numbers import RandomStream
from stimgen.sensitivity.forced_choice import predict_forced_choice


class Naming(PlacedParadigm):
    """Asks what a picture shows; the answer is typed or chosen from a list."""

    name: Literal["naming"] = "naming"
    names: dict[Label, TextLine | Annotated[tuple[TextLine, ...], Field(min_length=1)]]
    """The name of every source, or a list of accepted names for typed answers."""
    typed: bool = False
    """Whether the answer is typed; otherwise it is chosen from the first names of all sources."""
    unknown: TextLine | None = None
    """Answer of a participant who does not know, such as ``don't know``. It is given with return alone if
    answers are typed, otherwise with the space bar. It is an answer that is wrong, not a missed trial."""
    criterion: Number | None = None
    """For a simulated observer: it does not know where no observation exceeds this, in standard deviations;
    by default it always names something."""
    show: Literal["original", "synthesis", "both"] = "both"
    """What is shown; ``both``: each in half of the trials."""

    pairings = frozenset({"original-synthesis"})
    likeness_helps = True

    @model_validator(mode="after")
    def _check_list(self) -> Naming:
        if not self.typed and not 2 <= len(self.guesses()) <= 10:
            raise validation_error(
                f"there are {len(self.guesses())} different answers, but a list needs 2 to 10", at="names"
            )
        if self.criterion is not None and self.unknown is None:
            raise validation_error("criterion needs unknown, the answer of who does not know", at="criterion")
        if self.unknown is not None and normalise_word(self.unknown) in {
            normalise_word(word) for source in self.names for word in self.accepted_words(source)
        }:
            raise validation_error(f"{self.unknown!r} is also a name", at="unknown")
        return self

    def accepted_words(self, source: str) -> tuple[str, ...]:
        """Return the accepted names of a source."""
        found = self.names[source]
        return (found,) if isinstance(found, str) else found

    def guesses(self) -> tuple[str, ...]:
        """Return the first names of all sources."""
        return tuple(dict.fromkeys(self.accepted_words(source)[0] for source in self.names))

    def default_keys(self) -> dict[str, str]:
        """Return the digits from 1 on, 0 for a tenth answer, and the space bar for "don't know"."""
        if self.typed:
            return {}
        keys = {word: str(i % 10) for i, word in enumerate(self.guesses(), 1)}
        return keys if self.unknown is None else {**keys, self.unknown: "space"}

    @override
    def answer_without_letters(self) -> str | None:
        return self.unknown if self.typed else None

    @override
    def balanced_factors(self, pairing: Pairing) -> tuple[Factor, ...]:
        del pairing
        shown = Factor("shown", (ORIGINAL, SYNTHESIS) if self.show == "both" else (self.show,))
        return shown, *self.balanced_places()

    @override
    def arrange(self, decision: TrialDecision, pairing: Pairing) -> Arrangement:
        del pairing
        role: Role = ORIGINAL if decision.balanced["shown"] == ORIGINAL else SYNTHESIS
        slot = PictureSlot(role, self.find_place(decision))
        return Arrangement(((slot,),), self.accepted_words(decision.source)[0])

    @override
    def check_sources(self, sources: Sequence[str]) -> None:
        for source in sources:
            if source not in self.names:
                raise StimgenError(
                    f"paradigm.names has no name for the source {source!r}",
                    given=source,
                    allowed=list(self.names),
                )

    def grade(self, trial: Trial, answer: str | None) -> bool | None:
        """Return whether an answer is an accepted name; case and spaces do not matter."""
        if answer is None:
            return None
        return normalise_word(answer) in {normalise_word(word) for word in self.accepted_words(trial.source)}

    def decide(self, trial: Trial, perceived: Perception, stream: RandomStream) -> str:
        """Return the name with the largest of as many observations (identification as m-AFC)."""
        words = self.guesses()
        values = draw_observations(words, trial.correct, perceived.dprime, stream)
        if self.unknown is not None and self.criterion is not None and max(values) <= self.criterion:
            return self.unknown
        return words[int(np.argmax(values))]

    def proportion_correct(self, dprime: float) -> float:
        """Return the proportion correct of m-AFC (Green & Swets 1966), above a criterion if there is one."""
        alternatives = len(self.guesses())
        if self.criterion is None:
            return float(predict_forced_choice(dprime, alternatives))
        return _predict_above(self.criterion, dprime, alternatives)

    @override
    def proportion_correct_among(self, perceived: Perception) -> float:
        """Return the same, with the mean d' for originals, which look alike in all conditions."""
        dprimes = {ORIGINAL: (perceived.mean_dprime,), SYNTHESIS: (perceived.dprime,)}
        shown = dprimes.get(self.show, (perceived.mean_dprime, perceived.dprime))
        return sum(map(self.proportion_correct, shown)) / len(shown)

    def judge_features(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return a random name, because features do not tell what things are called."""
        del trial, features
        return stream.choice(self.guesses())


def normalise_word(word: str) -> str:
    """Return a word without differences of case, spaces and Unicode composition."""
    return " ".join(unicodedata.normalize("NFKC", word).casefold().split())


def _predict_above(criterion: float, dprime: float, alternatives: int) -> float:
    """Return the probability that the target's observation is the largest of m and exceeds a criterion."""
    from scipy.integrate import quad
    from scipy.special import ndtr

    def integrand(x: float) -> float:
        density = math.exp(-((x - dprime) ** 2) / 2) / math.sqrt(2 * math.pi)
        return float(density * ndtr(x) ** (alternatives - 1))

    upper = dprime + 10
    return float(quad(integrand, min(max(dprime - 10, criterion), upper), upper)[0])
