"""Finds where pictures lie on the scale, or in the space, that a simulated observer perceives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stimgen.experiment.design.paradigms import Paradigm
from stimgen.experiment.design.trial import ORIGINAL, ShownPicture, Trial
from stimgen.experiment.schema.observer_settings import SimulatedObserverSettings
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import normal


@dataclass(frozen=True)
class PerceptualSpace:
    """Holds a point for every picture: a value on a scale, or a random point in a space.

    All simulated participants of a study share the points.
    """

    perceives: str
    """``differences``: no points are needed. ``scale``: one dimension, the values of `scale`. ``space``:
    normal random numbers in every one of `dimensions`."""
    scale: Mapping[str, float]
    dimensions: int
    seed: int

    @classmethod
    def build(
        cls, settings: SimulatedObserverSettings, paradigm: Paradigm, conditions: Sequence[str]
    ) -> PerceptualSpace:
        """Return the space of a simulated study.

        A scale without a value for some condition, and settings that have no effect, raise a `StimgenError`.
        """
        _check_settings(settings, paradigm)
        items = paradigm.scale_items(conditions)
        scale = settings.scale or {item: i / max(1, len(items) - 1) for i, item in enumerate(items)}
        for name in scale:
            if name not in items:
                raise StimgenError(
                    f"simulated.scale: {name!r} is not on the scale", given=name, allowed=list(items)
                )
        for name in items:
            if name not in scale:
                raise StimgenError(f"simulated.scale has no value for {name!r}")
        return cls(paradigm.perceives, scale, settings.dimensions, settings.seed)

    def find_points(self, trial: Trial) -> tuple[tuple[float, ...], ...]:
        """Return the points of a trial's pictures, in the order in which they are shown."""
        if self.perceives == "differences":
            return ()
        return tuple(self._find_point(shown) for phase in trial.stimuli for shown in phase.shown)

    def _find_point(self, shown: ShownPicture) -> tuple[float, ...]:
        # An original is the same picture in all conditions.
        kind = ORIGINAL if shown.role == ORIGINAL else shown.condition
        if self.perceives == "scale":
            return (self.scale[kind],)
        return tuple(map(float, normal(self.dimensions, "simulated", self.seed, "space", shown.source, kind)))


def _check_settings(settings: SimulatedObserverSettings, paradigm: Paradigm) -> None:
    """Raise a `StimgenError` for settings that the paradigm does not use."""
    given = {
        "scale": bool(settings.scale),
        "dprime": settings.dprime is not None,
        "psychometric": settings.psychometric is not None,
        "participant_sd": settings.participant_sd > 0,
        "source_sd": settings.source_sd > 0,
    }
    differences = ("dprime", "psychometric", "participant_sd", "source_sd")
    used = {"differences": differences, "scale": ("scale",), "space": ()}[paradigm.perceives]
    if paradigm.is_stream:
        used = ("dprime", "participant_sd", "source_sd")
    other = {"differences": "dprime", "scale": "scale and noise", "space": "dimensions and noise"}
    for name, is_given in given.items():
        if is_given and name not in used:
            raise StimgenError(
                f"simulated.{name} has no effect with the paradigm {paradigm.name!r}",
                hint=f"give simulated.{other[paradigm.perceives]}",
            )
