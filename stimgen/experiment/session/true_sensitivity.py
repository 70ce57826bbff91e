"""Finds the true d' of a simulated observer in a trial, from what is on the screen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from stimgen.experiment.design.decisions import Factor, Scalar, combine_factors
from stimgen.experiment.design.trial import ORIGINAL, Trial
from stimgen.experiment.schema.sensitivity import SensitivityTable, SensitivityValues
from stimgen.reading.errors import StimgenError

DEFAULT_DPRIME = 1.5
SETTING = "simulated.dprime"
# What a trial is about, but nobody can see as long as it shows originals only.
FACTORS_OF_SYNTHESES = ("condition", "set")


@dataclass(frozen=True)
class SensitivityRule:
    """Holds d' as a function of factors.

    An observer knows nothing but what is on the screen: where originals alone are shown, d' is the mean over
    the conditions that the trial could have.
    """

    factors: tuple[Factor, ...]
    """Factors that d' depends on, with all their values: those of the table first, from the outermost."""
    values: SensitivityValues
    times: Mapping[str, Mapping[str, float]]

    @classmethod
    def build(
        cls,
        setting: float | Mapping[str, float] | SensitivityTable | None,
        factors: Sequence[Factor],
        elsewhere: Collection[str] = (),
        others: Mapping[str, Sequence[str]] | None = None,
    ) -> SensitivityRule:
        """Return the rule of a setting, for trials with these factors.

        An unknown factor or value, and a value without a d', raise a `StimgenError`. Names in `elsewhere`
        are known: other groups of participants see these conditions. `others` are values, by factor, that
        only practice and catch trials have: they need a d', too, but no mean is taken over them.
        """
        if setting is None or isinstance(setting, float):
            return cls((), DEFAULT_DPRIME if setting is None else setting, {})
        if not isinstance(setting, SensitivityTable):
            setting = SensitivityTable(by=("condition",), values=dict(setting))
        known = {factor.name: factor for factor in factors}
        for name in (*setting.by, *setting.times):
            if name not in known:
                raise StimgenError(
                    f"{SETTING}: trials have no factor {name!r} with several values",
                    given=name,
                    allowed=list(known),
                )
        every = {name: _add_values(factor, (others or {}).get(name, ())) for name, factor in known.items()}
        _check_values(setting.values, [every[name] for name in setting.by], "", elsewhere)
        for name, weights in setting.times.items():
            _check_names(weights, every[name], " in times", elsewhere)
        names = dict.fromkeys((*setting.by, *setting.times))
        return cls(tuple(known[name] for name in names), setting.values, setting.times)

    @cached_property
    def mean(self) -> float:
        """Return the mean over all combinations of the factors' values."""
        return self._average({})

    def find_dprime(self, trial: Trial) -> float:
        """Return d' in a trial."""
        known = {"source": trial.source, **trial.factors}
        if shows_only_originals(trial):
            known = {name: value for name, value in known.items() if name not in FACTORS_OF_SYNTHESES}
        return self._average(known)

    def _average(self, known: Mapping[str, Scalar]) -> float:
        """Return the mean over the values of the factors that are not known."""
        possible = [
            Factor(factor.name, (known[factor.name],)) if factor.name in known else factor
            for factor in self.factors
        ]
        found = [self._look_up(values) for values in combine_factors(possible)]
        return sum(found) / len(found)

    def _look_up(self, known: Mapping[str, Scalar]) -> float:
        found = self.values
        for factor in self.factors:
            if not isinstance(found, dict):
                break
            found = found[_find_name(found, known[factor.name]) or ""]
        dprime = float(found) if isinstance(found, (int, float)) else 0.0
        for name, weights in self.times.items():
            dprime *= weights[_find_name(weights, known[name]) or ""]
        return dprime


def shows_only_originals(trial: Trial) -> bool:
    """Return whether no synthesis is on the screen, so that nobody can see the trial's condition."""
    shown = [picture for phase in trial.stimuli for picture in phase.shown]
    return bool(shown) and all(picture.role == ORIGINAL for picture in shown)


def _add_values(factor: Factor, values: Sequence[str]) -> Factor:
    return replace(factor, values=tuple(dict.fromkeys((*factor.values, *values))))


def _check_values(
    values: SensitivityValues, factors: Sequence[Factor], where: str, elsewhere: Collection[str]
) -> None:
    if isinstance(values, dict):
        _check_names(values, factors[0], where, elsewhere)
        for name, below in values.items():
            deeper = f"{where}, below {name!r}" if where else f" below {name!r}"
            _check_values(below, factors[1:], deeper, elsewhere)


def _check_names(names: Collection[str], factor: Factor, where: str, elsewhere: Collection[str]) -> None:
    """Raise a `StimgenError` unless there is a name for each of a factor's values, and no other."""
    matched = {_find_name(names, value): value for value in factor.values}
    allowed = [_format_value(value) for value in factor.values]
    for name in names:
        if name not in matched and not (factor.name == "condition" and name in elsewhere):
            raise StimgenError(
                f"{SETTING}: the factor {factor.name!r} has no value {name!r}{where and ','}{where}",
                given=name,
                allowed=allowed,
            )
    if None in matched:
        value = _format_value(matched[None])
        raise StimgenError(f"{SETTING} has no value for {factor.name} {value!r}{where}", allowed=allowed)


def _find_name(names: Collection[str], value: Scalar) -> str | None:
    """Return the name that means a value: the same text, or the same number."""
    text = _format_value(value)
    return next((name for name in names if name == text or _is_same_number(name, value)), None)


def _is_same_number(name: str, value: Scalar) -> bool:
    try:
        return not isinstance(value, (str, bool)) and float(name) == value
    except ValueError:
        return False


def _format_value(value: Scalar) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
