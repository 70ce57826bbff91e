"""Makes tables of trials of observers whose sensitivity is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stimgen.analysis.trial_table import TrialTable, complete_frame
from stimgen.sensitivity import DecisionModel


@dataclass(frozen=True)
class Observers:
    """How many observers and sources there are, and how much they differ, in logits."""

    participants: int = 8
    sources: int = 6
    repetitions: int = 10
    participant_sd: float = 0.3
    source_sd: float = 0.3


def simulate_table(
    logits: Mapping[str, float], observers: Observers | None = None, chance: float = 1 / 3, seed: int = 1
) -> TrialTable:
    """Return trials whose probability correct is chance + (1 - chance) * logistic(logit + deviations)."""
    observers = observers or Observers()
    rng = np.random.default_rng(seed)
    people = rng.normal(0, observers.participant_sd, observers.participants)
    images = rng.normal(0, observers.source_sd, observers.sources)
    rows = [
        (f"{p:02}", name, f"s{s}", chance + (1 - chance) / (1 + np.exp(-(logit + people[p] + images[s]))))
        for p in range(observers.participants)
        for s in range(observers.sources)
        for name, logit in logits.items()
        for _ in range(observers.repetitions)
    ]
    columns: dict[str, Any] = {
        "participant": [row[0] for row in rows],
        "condition": [row[1] for row in rows],
        "source": [row[2] for row in rows],
        "correct": (rng.random(len(rows)) < np.array([row[3] for row in rows])).astype(float),
        "trial": np.arange(len(rows)) + 1.0,
    }
    return build_table(columns, ("condition",), chance)


def build_table(columns: Mapping[str, Any], factors: Sequence[str], chance: float = 1 / 3) -> TrialTable:
    """Return a table of an oddity task, with what the columns leave out."""
    count = len(columns["participant"])
    filled = {"observer": ["person"] * count, "response": ["1"] * count, "session": ["1"] * count, **columns}
    return TrialTable(complete_frame(filled, factors), tuple(factors), DecisionModel("oddity"), chance)
