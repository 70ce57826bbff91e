"""Describes how a session ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stimgen.experiment.design.threshold import TrackThreshold
from stimgen.experiment.trials.procedure import AnsweredTrial, SessionProcedure


@dataclass(frozen=True)
class SessionOutcome:
    """Describes how a session ended.

    Attributes
    ----------
    trials : int
        Number of main trials so far; practice and catch trials do not count.
    correct : float or None
        Proportion correct among the main trials that were graded; None without any.
    graded : int
        Number of these trials.
    missed : int
        Number of main trials without an answer; with ``responses.missed: wrong`` they are graded, too.
    catch_trials, catch_correct : int
        Number of catch trials, and of those that were correct.
    thresholds : tuple of TrackThreshold
        Thresholds of an adaptive schedule, one for each track.
    problem : str or None
        Why the session's table could not be written; the journal is complete all the same.
    """

    journal: Path
    complete: bool
    trials: int
    correct: float | None
    thresholds: tuple[TrackThreshold, ...] = ()
    problem: str | None = None
    graded: int = 0
    missed: int = 0
    catch_trials: int = 0
    catch_correct: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON-ready values."""
        return {
            "journal": str(self.journal),
            "complete": self.complete,
            "trials": self.trials,
            "correct": self.correct,
            "graded": self.graded,
            "missed": self.missed,
            "catch_trials": self.catch_trials,
            "catch_correct": self.catch_correct,
            "summary": self.summary,
            "thresholds": [one.to_dict() for one in self.thresholds],
            "problem": self.problem,
        }

    @property
    def summary(self) -> dict[str, Any]:
        """Return the figures of every track that are printed, by its name."""
        return {one.track: one.to_summary() for one in self.thresholds}

    @classmethod
    def of(
        cls, journal: Path, procedure: SessionProcedure, history: Sequence[AnsweredTrial], *, complete: bool
    ) -> SessionOutcome:
        """Return the outcome of a session with the answers in `history`."""
        main = [answered for answered in history if answered.trial.is_main]
        caught = [answered for answered in history if answered.trial.catch is not None]
        grades = [answered.correct for answered in main if answered.correct is not None]
        correct = sum(grades) / len(grades) if grades else None
        return cls(
            journal,
            complete,
            len(main),
            correct,
            procedure.find_thresholds(history),
            graded=len(grades),
            missed=sum(answered.missed for answered in main),
            catch_trials=len(caught),
            catch_correct=sum(answered.correct is True for answered in caught),
        )
