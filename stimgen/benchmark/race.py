"""The engine against the notebook: seconds to one loss."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from stimgen.benchmark.notebook import Curve, Notebook
from stimgen.benchmark.plot import plot_losses
from stimgen.benchmark.reference_loss import Attempt, Goal, notebook_objective, reach
from stimgen.benchmark.subject import BenchmarkSubject
from stimgen.benchmark.timing import ratio


def run_notebook(notebook: Notebook, evaluations: int, fastest: float) -> dict[str, Any]:
    """Let the notebook make a picture.

    Parameters
    ----------
    notebook : Notebook
        The rival.
    evaluations : int
        How long it may go on.
    fastest : float
        Seconds of its fastest evaluation.

    Returns
    -------
    dict
        ``reference``: where its loss was lowest, and its curve; ``busy``: how much slower than the fastest
        its evaluations were. Long runs cannot take turns: far above one, others used the machine, and ratios
        of times say little.
    """
    curve = notebook.synthesise(1, evaluations)
    lowest = curve.lowest
    return {
        "reference": {
            "evaluations": evaluations,
            "lowest_at": lowest + 1,
            "loss": curve.losses[lowest],
            "seconds_to_lowest": curve.seconds[lowest],
            **asdict(curve),
        },
        "busy": ratio(curve.seconds[-1] / evaluations, fastest),
    }


def run_engine(
    reference: dict[str, Any], notebook: Notebook, subject: BenchmarkSubject
) -> list[dict[str, Any]]:
    """Let the engine make pictures until they are as good, and return every attempt.

    Returns
    -------
    list of dict
        The attempt, ``reached``, ``to_same_loss`` (a ratio of seconds, per stimulus; None if not reached).
    """
    notebook_objective(1, "mixed").load(subject.device)  # in float32 too
    goal = Goal(reference["loss"], notebook.measure, reference["evaluations"])
    return [_summary(attempt, reference) for attempt in reach(goal, subject)]


def plot_race(file: Path, reference: dict[str, Any], attempts: list[dict[str, Any]]) -> None:
    """Draw the notebook's loss against seconds, and the engine's of one stimulus alone."""
    curves = {"notebook": Curve(reference["seconds"], reference["losses"])}
    for attempt in attempts:
        if attempt["stimuli"] == 1:
            curves[f"stimgen, {attempt['precision']}"] = Curve(**attempt["curve"])
    plot_losses(file, curves, reference["loss"])


def _summary(attempt: Attempt, reference: dict[str, Any]) -> dict[str, Any]:
    reached = attempt.loss < reference["loss"]
    faster = ratio(reference["seconds_to_lowest"], attempt.seconds / attempt.stimuli)
    return {**asdict(attempt), "reached": reached, "to_same_loss": faster if reached else None}
