"""Names the tasks, their decision rules and dimensions, and relates d' to proportion correct or to rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stimgen.reading.errors import StimgenError
from stimgen.sensitivity.abx import predict_abx
from stimgen.sensitivity.forced_choice import predict_forced_choice
from stimgen.sensitivity.inversion import HIGHEST, find_crossing
from stimgen.sensitivity.oddity import predict_oddity
from stimgen.sensitivity.same_different import (
    predict_differencing,
    predict_likelihood,
    solve_differencing,
    solve_likelihood,
)
from stimgen.sensitivity.yes_no import predict_yes_no, solve_yes_no

RULES = {
    "two_afc": ("largest",),
    "forced_choice": ("largest",),
    "oddity": ("farthest", "likelihood"),
    "abx": ("differencing", "independent"),
    "same_different": ("differencing", "likelihood"),
    "yes_no": ("criterion",),
}
"""The decision rules of each task; the first is the default."""
RATE_TASKS = ("same_different", "yes_no")
"""Tasks with a criterion, which need hits and false alarms instead of a proportion correct."""
ABOUT_RULES = {
    ("two_afc", "largest"): "the alternative with the larger observation",
    ("forced_choice", "largest"): "the alternative with the largest observation",
    ("oddity", "farthest"): "the picture farthest from the mean; of three, the one outside the closest pair",
    ("oddity", "likelihood"): "the picture that is most probably the odd one",
    ("abx", "differencing"): "the one that differs less from X",
    ("abx", "independent"): "independent decisions about A and B, and about X",
    ("same_different", "differencing"): "different where two observations differ by more than a criterion",
    ("same_different", "likelihood"): "different where the likelihood ratio exceeds a criterion",
    ("yes_no", "criterion"): "yes where the observation exceeds a criterion",
}


@dataclass(frozen=True)
class DecisionModel:
    """Represents how an observer of known sensitivity answers in a task.

    Parameters
    ----------
    task : str
        A key of `RULES`.
    rule : str, optional
        A decision rule of the task; by default its first.
    alternatives : int, optional
        Number of alternatives of ``forced_choice`` (2 or more) and ``oddity`` (3 to 12).
    dimensions : int
        Number of dimensions of a sensation, 1 to 100; only oddity's ``farthest`` depends on it.

    Raises
    ------
    StimgenError
        A task, rule or number does not exist or do not go together.
    """

    task: str
    rule: str = ""
    alternatives: int = 0
    dimensions: int = 1

    def __post_init__(self) -> None:
        """Fill in the defaults, and refuse what the formulas do not cover."""
        if self.task not in RULES:
            raise StimgenError(f"d' knows no task {self.task!r}", given=self.task, allowed=list(RULES))
        rules = RULES[self.task]
        if not self.rule:
            object.__setattr__(self, "rule", rules[0])
        if self.rule not in rules:
            raise StimgenError(
                f"the task {self.task} has no decision rule {self.rule!r}", given=self.rule, allowed=rules
            )
        object.__setattr__(self, "alternatives", self._find_alternatives())
        if self.dimensions != 1 and (self.task, self.rule) != ("oddity", "farthest"):
            raise StimgenError(
                "only oddity with the rule farthest has a formula for several dimensions",
                hint="leave dimensions at 1",
            )
        if not 1 <= self.dimensions <= 100:
            raise StimgenError(f"dimensions must be 1 to 100, not {self.dimensions}")

    def _find_alternatives(self) -> int:
        low, high, usual = {"forced_choice": (2, 1000, 0), "oddity": (3, 12, 3)}.get(self.task, (2, 2, 2))
        found = self.alternatives or usual
        if not found:
            raise StimgenError(
                f"the task {self.task} needs the number of alternatives", hint="name it: alternatives=3"
            )
        if not low <= found <= high:
            allowed = str(low) if low == high else f"{low} to {high}"
            raise StimgenError(f"alternatives of the task {self.task} must be {allowed}, not {found}")
        return found

    @property
    def has_rates(self) -> bool:
        """Return whether d' is computed from hits and false alarms."""
        return self.task in RATE_TASKS

    @property
    def chance(self) -> float:
        """Return the proportion correct of an observer who guesses."""
        return 1 / self.alternatives

    @property
    def text(self) -> str:
        """Return the task, rule and dimensions, as a caption names them."""
        about = ABOUT_RULES[self.task, self.rule]
        count = f" of {self.alternatives}" if self.task in ("oddity", "forced_choice") else ""
        space = f", {self.dimensions} dimension{'s' * (self.dimensions > 1)}" if self.task == "oddity" else ""
        return f"{self.task}{count}, rule {self.rule} ({about}{space})"

    def predict(self, dprime: ArrayLike) -> NDArray[np.float64]:
        """Return the proportion correct at each d', without bias.

        Raises `StimgenError` for the differencing rule of same-different, where it depends on the criterion.
        """
        if self.task == "oddity":
            return predict_oddity(dprime, self.alternatives, self.rule, self.dimensions)
        if self.task == "abx":
            return predict_abx(dprime, self.rule)
        if self.task in ("two_afc", "forced_choice"):
            return predict_forced_choice(dprime, self.alternatives)
        hits, alarms = self.predict_rates(dprime, 0.0)
        return (hits + 1 - alarms) / 2

    def predict_rates(
        self, dprime: ArrayLike, criterion: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return hit and false-alarm rates; the criterion's unit is the rule's."""
        if self.task == "yes_no":
            return predict_yes_no(dprime, criterion)
        self._require_rates()
        if self.rule == "likelihood":
            return predict_likelihood(dprime, criterion)
        if np.any(np.asarray(criterion) <= 0):
            raise StimgenError(
                "the differencing rule needs a criterion above 0: proportion correct depends on it"
            )
        return predict_differencing(dprime, criterion)

    def invert(self, correct: ArrayLike) -> NDArray[np.float64]:
        """Return the d' that gives each proportion correct.

        Below chance it is 0, but in forced choice negative. At 1 it is infinite, and at 0 in forced choice
        minus infinity.
        """
        values = np.asarray(correct, dtype=float)
        if self.has_rates:
            raise StimgenError(
                f"{self.task} needs hits and false alarms: proportion correct depends on the criterion",
                hint="name both rates: hits=0.8, false_alarms=0.2",
            )
        if self.task in ("two_afc", "forced_choice"):
            found = find_crossing(self.predict, values, -HIGHEST, HIGHEST)
            return np.where(values <= 0, -np.inf, found)
        return find_crossing(self.predict, values)

    def invert_rates(
        self, hits: ArrayLike, alarms: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the d' and the criterion that give each pair of rates."""
        self._require_rates()
        if self.task == "yes_no":
            return solve_yes_no(hits, alarms)
        solve = solve_likelihood if self.rule == "likelihood" else solve_differencing
        return solve(hits, alarms)

    def _require_rates(self) -> None:
        if not self.has_rates:
            raise StimgenError(
                f"the task {self.task} has no hits and false alarms", hint="give the proportion correct"
            )
