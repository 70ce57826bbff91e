"""Finds the trials of an adaptive schedule in which the level makes no difference to the correct answer."""

from __future__ import annotations

from stimgen.experiment.design.decisions import Factor, LevelScale, Scalar, TrialDecision, combine_factors
from stimgen.experiment.design.trial import ORIGINAL
from stimgen.experiment.schema.schema import Experiment

BalancedValues = tuple[tuple[tuple[str, Scalar], ...], ...]
NO_VALUES: BalancedValues = ()


def list_without_signal(
    experiment: Experiment, factors: tuple[Factor, ...], source: str, level: LevelScale
) -> BalancedValues:
    """Return the values of the balanced factors of trials without a signal; `source` is any of them.

    The paradigm decides: it names the answer that reports a signal, or shows originals alone, in which nobody
    can see the condition.
    """
    paradigm, found = experiment.paradigm, []
    balanced = paradigm.balanced_factors(experiment.stimuli.meet[0])
    levels = combine_factors(factors)[0]
    for values in combine_factors(balanced):
        arrangement = paradigm.arrange(TrialDecision(1, levels, source, values), experiment.stimuli.meet[0])
        if paradigm.signal_answer:
            has_signal = arrangement.correct == paradigm.signal_answer
        else:
            roles = {slot.role for interval in arrangement.intervals for slot in interval}
            has_signal = level.factor != "condition" or roles != {ORIGINAL}
        if not has_signal:
            found.append(tuple(values.items()))
    return tuple(found)
