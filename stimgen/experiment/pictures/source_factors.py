"""Selects sources by their factors, such as their category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.record import RecordContent


def select_by_factors(
    loaded: LoadedExperiment, records: Sequence[tuple[int, RecordContent]], sources: tuple[str, ...]
) -> tuple[str, ...]:
    """Return those of the sources that have one of the values of every factor in ``stimuli.where``.

    Factors and values that no source has, and no source with all of them, raise a `StimgenError`.
    """
    wanted = loaded.experiment.stimuli.where
    factors = {content.source.id: content.source.factors or {} for _, content in records}
    for name, values in wanted.items():
        _check_factor(loaded, factors, name, values)
    found = tuple(
        source
        for source in sources
        if all(factors.get(source, {}).get(name) in values for name, values in wanted.items())
    )
    if not found:
        raise StimgenError(
            "stimuli.where: no source of the main trials has all of these values",
            where=loaded.document.where(("stimuli", "where")),
        )
    return found


def _check_factor(
    loaded: LoadedExperiment, factors: Mapping[str, Mapping[str, str]], name: str, values: Sequence[str]
) -> None:
    names = sorted({key for one in factors.values() for key in one})
    where = loaded.document.where(("stimuli", "where", name))
    if name not in names:
        hint = None if names else "a protocol names them: `factors` of a source, or {category} in a pattern"
        message = f"stimuli.where: the sources have no factor {name!r}"
        raise StimgenError(message, where=where, given=name, allowed=names, hint=hint)
    known = sorted({one[name] for one in factors.values() if name in one})
    for value in values:
        if value not in known:
            message = f"stimuli.where.{name}: no source has {value!r}"
            raise StimgenError(message, where=where, given=value, allowed=known)
