"""Lists the phases of trials, and draws durations that differ from trial to trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stimgen.experiment.design.decisions import Scalar
from stimgen.experiment.design.duration import Duration
from stimgen.experiment.design.jitter import Jitter
from stimgen.experiment.design.trial import Phase, ShownPicture
from stimgen.experiment.frames.placing import box_on_screen
from stimgen.experiment.schema.masks import MaskSide
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.timing import TimingSettings
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.experiment.trials.cue_builder import CueBuilder
from stimgen.experiment.trials.mask_builder import MaskBuilder
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
    """Lists the phases of a trial: fixation, and the intervals with their cues and masks."""

    experiment: Experiment
    viewing: ViewingGeometry
    durations: DurationCounter
    masks: MaskBuilder
    levels: Mapping[str, Scalar]
    """Value of every factor of the design, balanced ones included."""

    @property
    def timing(self) -> TimingSettings:
        """Return the experiment's durations, masks and cues."""
        return self.experiment.timing

    def list_phases(self, intervals: Sequence[Sequence[ShownPicture]]) -> tuple[Phase, ...]:
        """Return the phases that have at least one refresh."""
        phases = [Phase(kind="fixation", frames=self._count(self.timing.fixation, "fixation"))]
        for number, shown in enumerate(intervals, 1):
            if number > 1 and not self.timing.is_timed_by_soa:
                frames = self._count(self.timing.between, "between", number)
                phases.append(Phase(kind="between", frames=frames))
            phases += self._list_interval(number, tuple(shown), last=number == len(intervals))
        return tuple(phase for phase in phases if phase.frames > 0)

    def draw_between_trials(self) -> int | None:
        """Return the fewest refreshes since the trial before; None if all trials have the same duration."""
        between = self.timing.between_trials
        return self._count(between, "between_trials") if isinstance(between, Jitter) else None

    def _list_interval(self, number: int, shown: tuple[ShownPicture, ...], *, last: bool) -> Iterator[Phase]:
        yield from self._list_cue(number, shown)
        yield from self._list_mask("before", number, shown)
        frames = self._count(self._find_level("duration", self.timing.stimulus))
        yield Phase(kind="stimulus", frames=frames, interval=number, shown=shown)
        if self.timing.soa is not None and not (last and self.timing.is_timed_by_soa):
            asynchrony = self._count(self._find_level("soa", self.timing.soa))
            yield Phase(kind="gap", frames=asynchrony - frames, interval=number)
        yield from self._list_mask("after", number, shown)

    def _list_cue(self, number: int, shown: tuple[ShownPicture, ...]) -> Iterator[Phase]:
        cue = self.timing.cue
        if cue is None or (number > 1 and cue.interval == "first"):
            return
        validity = str(self.levels.get("cue", cue.deal[0]))
        cues = CueBuilder.from_experiment(cue, self.experiment, self.viewing, shown[0].size)
        marks = cues.build(validity, [picture.position for picture in shown])
        frames = self._count(cue.duration, "cue", number)
        yield Phase(kind="cue", frames=frames, interval=number, cues=marks)
        yield Phase(kind="gap", frames=self._count(cue.gap, "cue_gap", number), interval=number)

    def _list_mask(self, side: MaskSide, number: int, shown: tuple[ShownPicture, ...]) -> Iterator[Phase]:
        mask = self.timing.find_mask(side)
        if mask is None:
            return
        frames = self._count(mask.duration, "mask" if side == "after" else "mask_before", number)
        if mask.name == "noise" and side == "after" and self.experiment.display.aperture is None:
            # As in version 0.1.0: the noise of these boxes follows from the trial's number.
            boxes = tuple(box_on_screen(self.viewing, picture) for picture in shown)
            yield Phase(kind="mask", frames=frames, interval=number, mask=boxes)
        else:
            covers = self.masks.build(mask, shown, side, number)
            yield Phase(kind="mask", frames=frames, interval=number, covers=covers)

    def _find_level(self, factor: str, values: Sequence[Duration]) -> Duration:
        return Duration.model_validate(str(self.levels.get(factor, values[0])))

    def _count(self, duration: Duration | Jitter, *purpose: str | int) -> int:
        return self.durations.count_frames(duration, *purpose)
