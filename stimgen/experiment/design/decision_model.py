"""Finds how answers of a paradigm depend on d'."""

from __future__ import annotations

from stimgen.experiment.design.paradigms import Paradigm
from stimgen.sensitivity import RULES, DecisionModel


def find_decision_model(paradigm: Paradigm) -> DecisionModel | None:
    """Return the model of a paradigm's answers; None if d' is not defined for it."""
    if paradigm.name == "naming":
        count = len(paradigm.guesses())
        return (
            DecisionModel("forced_choice", alternatives=count) if count > 1 and paradigm.answers() else None
        )
    if paradigm.name not in RULES:
        return None
    rule = str(getattr(paradigm, "rule", ""))
    count = len(paradigm.answers()) if paradigm.name in ("oddity", "forced_choice") else 0
    return DecisionModel(paradigm.name, rule if rule in RULES[paradigm.name] else "", count)
