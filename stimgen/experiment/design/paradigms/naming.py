"""Naming and categorisation: what is it."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import (
    CENTRE,
    Arrangement,
    Pairing,
    Paradigm,
    PicturePlace,
    PictureSlot,
)
from stimgen.experiment.design.trial import ORIGINAL, SYNTHESIS, Role, Trial
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Label, TextLine, validation_error
from stimgen.reading.random_numbers import RandomStream


class Naming(Paradigm):
    """Naming: one picture; what it is, typed or chosen from a list."""

    name: Literal["naming"] = "naming"
    names: dict[Label, TextLine | Annotated[tuple[TextLine, ...], Field(min_length=1)]]
    """What every source is: a word, or several that are accepted where the answer is typed."""
    typed: bool = False
    """Whether the answer is typed; otherwise it is chosen from the first words of all sources."""
    show: Literal["original", "synthesis", "both"] = "both"
    """What is shown; ``both``: each in half of the trials."""
    place: PicturePlace = CENTRE
    """Where it is."""

    meetings = frozenset({"original-synthesis"})

    @model_validator(mode="after")
    def _check_list(self) -> Naming:
        if not self.typed and not 2 <= len(self.answers()) <= 10:
            raise validation_error(f"a list of {len(self.answers())} answers: 2 to 10 have keys", at="names")
        return self

    def accepted_words(self, source: str) -> tuple[str, ...]:
        """Return the accepted words for a source."""
        found = self.names[source]
        return (found,) if isinstance(found, str) else found

    def answers(self) -> tuple[str, ...]:
        """Return the list; nothing where answers are typed."""
        return () if self.typed else self.guesses()

    def guesses(self) -> tuple[str, ...]:
        """Return the first words of all sources."""
        return tuple(dict.fromkeys(self.accepted_words(source)[0] for source in self.names))

    def keys(self) -> dict[str, str]:
        """Return the digits from 1 on, and 0 for a tenth answer."""
        return {answer: str(i % 10) for i, answer in enumerate(self.answers(), 1)}

    def balanced(self, meeting: Pairing) -> tuple[Factor, ...]:
        """Return what is shown."""
        del meeting
        return (Factor("shown", (ORIGINAL, SYNTHESIS) if self.show == "both" else (self.show,)),)

    def arrange(self, choice: TrialDecision, meeting: Pairing) -> Arrangement:
        """Return one picture, and the first word for it."""
        del meeting
        role: Role = ORIGINAL if choice.balanced["shown"] == ORIGINAL else SYNTHESIS
        return Arrangement(((PictureSlot(role, self.place),),), self.accepted_words(choice.source)[0])

    def check_sources(self, sources: Sequence[str]) -> None:
        """Refuse sources without a name."""
        for source in sources:
            if source not in self.names:
                raise StimgenError(
                    f"paradigm.names has no name for the source {source!r}",
                    given=source,
                    allowed=list(self.names),
                )

    def grade(self, trial: Trial, answer: str | None) -> bool | None:
        """Return whether an answer is among the accepted words, apart from case and spaces."""
        if answer is None:
            return None
        return normalise_word(answer) in {normalise_word(word) for word in self.accepted_words(trial.source)}

    def decide(self, trial: Trial, dprime: float, stream: RandomStream) -> str:
        """Return the category with the largest of as many observations (identification as m-AFC)."""
        every = self.guesses()
        values = [stream.normal() + (dprime if word == trial.correct else 0.0) for word in every]
        return every[int(np.argmax(values))]

    def proportion_correct(self, dprime: float) -> float:
        """Return the m-AFC integral over the correct category's observation (Green & Swets 1966)."""
        return probability_of_largest(len(self.guesses()), dprime)

    def judge(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return a category by chance: what things are called is not in their features."""
        del trial, features
        return stream.choice(self.guesses())


def normalise_word(word: str) -> str:
    """Return a word without differences of case, of spaces and of how its letters are put together."""
    return " ".join(unicodedata.normalize("NFKC", word).casefold().split())


def probability_of_largest(alternatives: int, dprime: float) -> float:
    """Return the probability that an observation shifted by d' is the largest of m.

    Examples
    --------
    >>> [round(probability_of_largest(3, d), 4) for d in (0.0, 1.0, 2.0, 3.0)]
    [0.3333, 0.6337, 0.8658, 0.9688]
    """
    from scipy.integrate import quad
    from scipy.special import ndtr

    def integrand(x: float) -> float:
        density = math.exp(-((x - dprime) ** 2) / 2) / math.sqrt(2 * math.pi)
        return float(density * ndtr(x) ** (alternatives - 1))

    return float(quad(integrand, dprime - 10, dprime + 10)[0])
