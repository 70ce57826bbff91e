"""Finds conditions whose model has more parameters than the picture has values."""

from __future__ import annotations

from collections.abc import Iterator

from stimgen.protocol.plan import PlannedCondition, ProtocolPlan
from stimgen.synthesis.methods import ObjectiveMethod


def count_excess_parameters(condition: PlannedCondition) -> tuple[int, int] | None:
    """Return parameters and values of the source with most parameters a value, if it has more parameters.

    Values are pixels times channels. It is None if no source has more parameters than values, and for
    methods and statistics that make the source itself again, or minimise nothing.
    """
    method = condition.method
    if not isinstance(method, ObjectiveMethod):
        return None
    if any(term.statistic.keeps_positions for term in method.terms):
        return None
    counts = [
        (method.count_parameters(width, height, channels), height * width * channels)
        for height, width, channels in (source.shape for source in condition.sources)
    ]
    parameters, values = max(counts, key=lambda pair: pair[0] / pair[1])
    return (parameters, values) if parameters > values else None


def describe_excess_parameters(plan: ProtocolPlan) -> Iterator[str]:
    """Yield a sentence about every condition with more parameters than pixel values."""
    for condition in plan.conditions:
        if (found := count_excess_parameters(condition)) is not None:
            parameters, values = found
            yield (
                f"condition {condition.id}: {parameters:,} parameters describe {values:,} pixel values. "
                "Stimuli may be near copies of their sources, in which objects are recognised: choose fewer "
                "regions, or less depth"
            )
