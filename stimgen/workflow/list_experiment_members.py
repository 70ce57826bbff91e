"""Lists what experiments can use; works without torch."""

from __future__ import annotations

from stimgen.experiment.design.paradigms import PARADIGMS
from stimgen.experiment.design.questions import QUESTIONS
from stimgen.experiment.design.schedules import SCHEDULES
from stimgen.experiment.equipment.triggers import TRIGGERS
from stimgen.experiment.session.observers import observer_summaries
from stimgen.reading.registry import Family
from stimgen.reading.shipped import EXPERIMENTS

EXPERIMENT_FAMILIES: dict[str, Family] = {
    "paradigms": PARADIGMS,
    "schedules": SCHEDULES,
    "questions": QUESTIONS,
    "triggers": TRIGGERS,
}


def find_experiment_members() -> dict[str, dict[str, str]]:
    """Return all members of the families of experiments, and the shipped experiments, with one line each."""
    found = {family: members.summaries() for family, members in EXPERIMENT_FAMILIES.items()}
    return {**found, "observers": observer_summaries(), "experiments": EXPERIMENTS.titles()}
