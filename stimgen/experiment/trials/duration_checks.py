"""Checks that durations are whole numbers of refreshes and do not contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stimgen.experiment.design.duration import Duration
from stimgen.experiment.design.jitter import Jitter
from stimgen.experiment.pictures.selection import KeyPath, format_key_path
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.masks import MASK_SIDES, MaskPair
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.timing import TimingSettings
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.reading.errors import StimgenError


def check_durations(loaded: LoadedExperiment, viewing: ViewingGeometry, *, several: bool) -> None:
    """Raise a `StimgenError` for durations that are not a whole number of refreshes, or no picture at all.

    `several` says whether trials have several intervals, with fixation between them.
    """
    timing = loaded.experiment.timing
    others = _list_other_durations(loaded.experiment)
    for path, duration in (*_list_durations(timing, several=several), *others):
        with loaded.at(*path):
            try:
                frames = _count_refreshes(duration, viewing.refresh_hz, timing.tolerance_ms)
            except StimgenError as error:
                raise error.add_prefix(format_key_path(path)) from None
            if frames < 1 and path[-1] == "stimulus":
                raise StimgenError(f"{format_key_path(path)}: {duration} is less than one frame")
    with loaded.at("timing", "soa"):
        shown = (*timing.stimulus, *(duration for _, duration in others))
        _check_asynchronies(timing, shown, viewing.refresh_hz, several=several)


def _list_durations(timing: TimingSettings, *, several: bool) -> Iterator[tuple[KeyPath, Duration | Jitter]]:
    """Yield the durations that trials use, with their places in the experiment."""
    yield ("timing", "fixation"), timing.fixation
    if several and not timing.is_timed_by_soa:
        yield ("timing", "between"), timing.between
    for side in MASK_SIDES:
        mask, inner = timing.find_mask(side), (side,) if isinstance(timing.mask, MaskPair) else ()
        if mask is not None:
            yield ("timing", "mask", *inner, "duration"), mask.duration
    if timing.cue is not None:
        yield ("timing", "cue", "duration"), timing.cue.duration
        yield ("timing", "cue", "gap"), timing.cue.gap
    for name, values in (("stimulus", timing.stimulus), ("soa", timing.soa or ())):
        for duration in values:
            yield ("timing", name), duration
    # A single duration between trials is a minimum, which need not be a whole number of refreshes.
    if isinstance(timing.between_trials, Jitter):
        yield ("timing", "between_trials"), timing.between_trials


def _list_other_durations(experiment: Experiment) -> list[tuple[KeyPath, Duration]]:
    """Return the durations of pictures in practice and catch trials, with their places."""
    practice = experiment.practice.stimulus if experiment.practice else None
    found: list[tuple[KeyPath, Duration]] = [(("practice", "stimulus"), one) for one in practice or ()]
    for i, catch in enumerate(experiment.catch):
        found += [(("catch", i, "stimulus"), one) for one in catch.stimulus or ()]
    return found


def _count_refreshes(duration: Duration | Jitter, refresh_hz: float, tolerance_ms: float) -> int:
    """Return the fewest refreshes that a duration may have."""
    if isinstance(duration, Duration):
        return duration.count_frames(refresh_hz, tolerance_ms)
    duration.check_refreshes(refresh_hz, tolerance_ms)
    return duration.draw_frames(0.0, refresh_hz, tolerance_ms)


def _check_asynchronies(
    timing: TimingSettings, shown: Sequence[Duration], refresh_hz: float, *, several: bool
) -> None:
    if timing.soa is None:
        return
    if timing.is_timed_by_soa and not several:
        raise StimgenError(
            "timing.soa: nothing follows the pictures: a trial has one interval, and there is no mask",
            hint="add timing.mask, or leave out timing.soa",
        )
    shortest = min(timing.soa, key=lambda one: one.milliseconds(refresh_hz))
    longest = max(shown, key=lambda one: one.milliseconds(refresh_hz))
    counts = [one.count_frames(refresh_hz, timing.tolerance_ms) for one in (shortest, longest)]
    if counts[0] < counts[1]:
        raise StimgenError(
            f"timing.soa: {shortest} is shorter than the pictures, which are shown for {longest}",
            hint=f"write timing.soa: {longest} or more, or a shorter timing.stimulus",
        )
