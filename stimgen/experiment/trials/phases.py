"""Lists the phases of trials, and draws durations that differ from trial to trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stimgen.experiment.design.decisions import Scalar
from stimgen.experiment.design.duration import Duration
from stimgen.experiment.design.jitter import Jitter
from stimgen.experiment.design.trial import Phase, ShownPicture
from stimgen.experiment.frames.placing import box_on_screen
from stimgen.experiment.schema.timing import TimingSettings
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.reading.random_numbers import uniform


@dataclass(frozen=True)
class DurationCounter:
    """Counts the refreshes of durations; those of a distribution are drawn."""

    refresh_hz: float
    tolerance_ms: float
    key: tuple[str | int, ...]
    """Key of the trial's random numbers, which nothing else uses."""

    def count_frames(self, duration: Duration | Jitter, *purpose: str | int) -> int:
        """Return the number of refreshes.

        `purpose` names what the duration is of, so that one distribution more or less in an experiment does
        not change what is drawn from the others.
        """
        if isinstance(duration, Duration):
            return duration.count_frames(self.refresh_hz, self.tolerance_ms)
        number = float(uniform(1, *self.key, *purpose)[0])
        return duration.draw_frames(number, self.refresh_hz, self.tolerance_ms)


@dataclass(frozen=True)
class PhaseBuilder:
    """Lists the phases of a trial: fixation, and the intervals with their masks."""

    timing: TimingSettings
    viewing: ViewingGeometry
    durations: DurationCounter
    levels: Mapping[str, Scalar]
    """Value of every factor of the design."""

    def list_phases(self, intervals: Sequence[Sequence[ShownPicture]]) -> tuple[Phase, ...]:
        """Return the phases that have at least one refresh."""
        phases = [Phase(kind="fixation", frames=self._count(self.timing.fixation, "fixation"))]
        for number, shown in enumerate(intervals, 1):
            if number > 1 and not self._is_timed_by_soa:
                phases.append(
                    Phase(kind="between", frames=self._count(self.timing.between, "between", number))
                )
            phases += self._list_interval(number, tuple(shown), last=number == len(intervals))
        return tuple(phase for phase in phases if phase.frames > 0)

    def draw_between_trials(self) -> int | None:
        """Return the fewest refreshes since the trial before; None if all trials have the same duration."""
        between = self.timing.between_trials
        return self._count(between, "between_trials") if isinstance(between, Jitter) else None

    def _list_interval(self, number: int, shown: tuple[ShownPicture, ...], *, last: bool) -> Iterator[Phase]:
        frames = self._count(self._find_level("duration", self.timing.stimulus))
        yield Phase(kind="stimulus", frames=frames, interval=number, shown=shown)
        if self.timing.soa is not None and not (last and self._is_timed_by_soa):
            asynchrony = self._count(self._find_level("soa", self.timing.soa))
            yield Phase(kind="gap", frames=asynchrony - frames, interval=number)
        if self.timing.mask is not None:
            boxes = tuple(box_on_screen(self.viewing, picture) for picture in shown)
            frames = self._count(self.timing.mask.duration, "mask", number)
            yield Phase(kind="mask", frames=frames, interval=number, mask=boxes)

    @property
    def _is_timed_by_soa(self) -> bool:
        """Return whether the asynchrony is that of two intervals, so that `between` is unused."""
        return self.timing.soa is not None and self.timing.mask is None

    def _find_level(self, factor: str, values: Sequence[Duration]) -> Duration:
        return Duration.model_validate(str(self.levels.get(factor, values[0])))

    def _count(self, duration: Duration | Jitter, *purpose: str | int) -> int:
        return self.durations.count_frames(duration, *purpose)
