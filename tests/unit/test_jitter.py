"""Durations that differ from trial to trial: what is drawn, from which stream, and what is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hand_made_experiment import write_experiment, write_its_set
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scipy.stats import chisquare

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.jitter import AnyDuration, ExponentialJitter, Jitter, UniformJitter
from stimgen.experiment.design.trial import Trial
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.session.session import list_planned_trials
from stimgen.reading.errors import StimgenError
from stimgen.workflow.prepared_experiment import PreparedExperiment

HZ = 60.0
DURATIONS: TypeAdapter[Any] = TypeAdapter(AnyDuration)
GRID = (np.arange(4000) + 0.5) / 4000  # the quantiles of a uniform number


def draw_all(jitter: Jitter) -> list[int]:
    return [jitter.draw_frames(float(number), HZ, 1.0) for number in GRID]


def frames(low: int, high: int, **more: str) -> dict[str, str]:
    return {"min": f"{low} frames", "max": f"{high} frames", **more}


@given(low=st.integers(0, 100), extra=st.integers(1, 39))
def test_a_uniform_duration_takes_every_number_of_refreshes_equally_often(low: int, extra: int) -> None:
    jitter = UniformJitter.model_validate({"distribution": "uniform", **frames(low, low + extra)})
    counts = Counter(draw_all(jitter))
    assert set(counts) == set(range(low, low + extra + 1))
    assert max(counts.values()) - min(counts.values()) <= 1


@given(low=st.integers(0, 60), extra=st.integers(3, 90), share=st.floats(0.1, 0.9))
def test_an_exponential_duration_has_its_limits_and_its_mean(low: int, extra: int, share: float) -> None:
    mean = low + share * extra / 2
    written = frames(low, low + extra, mean=f"{mean * 1000 / HZ:.4f} ms")
    drawn = draw_all(ExponentialJitter.model_validate({"distribution": "exponential", **written}))
    assert min(drawn) == low
    assert max(drawn) <= low + extra
    assert np.mean(drawn) == pytest.approx(mean, abs=0.02)


def test_an_exponential_duration_falls_by_a_constant_ratio() -> None:
    written = frames(10, 40, mean="300 ms")
    jitter = ExponentialJitter.model_validate({"distribution": "exponential", **written})
    counts = np.array([count for _, count in sorted(Counter(draw_all(jitter)).items())])
    ratio = (counts[1:20] / counts[:19]).mean()
    expected = ratio ** np.arange(len(counts))
    assert chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 0.9


def test_a_listed_duration_is_one_of_the_list() -> None:
    jitter = DURATIONS.validate_python(
        {"distribution": "listed", "values": ["100 ms", "12 frames", "12 frames"]}
    )
    assert Counter(draw_all(jitter)) == {6: 1333, 12: 2667}


@pytest.mark.parametrize(
    "written", ["500 ms", {"distribution": "uniform", "min": "100 ms", "max": "12 frames"}]
)
def test_a_duration_is_written_as_it_was_read(written: Any) -> None:
    assert DURATIONS.dump_python(DURATIONS.validate_python(written), mode="json") == written


Room = Callable[..., PreparedExperiment]
FIXATION = "{distribution: uniform, min: 400 ms, max: 800 ms}"
PAUSE = "{distribution: exponential, mean: 500 ms, min: 300 ms, max: 1500 ms}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write_its_set(folder)
    return folder


@pytest.fixture
def room(home: Path, tmp_path: Path) -> Room:
    def made(*changes: tuple[str, str]) -> PreparedExperiment:
        return PreparedExperiment.prepare(
            load_experiment(write_experiment(tmp_path, *changes)), (home / "set",)
        )

    return made


def trials(room: PreparedExperiment, label: str = "01") -> list[Trial]:
    return list_planned_trials(room.build_procedure(Participant(label)))


def fixations(found: list[Trial]) -> list[int]:
    return [trial.phases[0].frames for trial in found]


def test_fixation_is_drawn_anew_for_every_trial_and_participant(room: Room) -> None:
    made = room(("500 ms", FIXATION))
    first, second = fixations(trials(made)), fixations(trials(made, "02"))
    assert all(24 <= one <= 48 for one in (*first, *second))
    assert len(set(first)) > 5
    assert first != second
    assert fixations(trials(made)) == first


def test_other_distributions_change_nothing_else_of_the_trials(room: Room) -> None:
    plain = trials(room())
    jittered = trials(room(("500 ms", f"{FIXATION}\n  between_trials: {PAUSE}")))
    fewer = trials(room(("500 ms", FIXATION)))
    assert fixations(fewer) == fixations(jittered)
    for before, now in zip(plain, jittered, strict=True):
        assert now.between_trials is not None
        assert 18 <= now.between_trials <= 90
        same = {"between_trials": None, "phases": (before.phases[0], *now.phases[1:])}
        assert now.model_copy(update=same) == before


def test_a_trial_without_distributions_is_written_as_before(room: Room) -> None:
    (first, *_) = trials(room())
    assert "between_trials" not in first.to_dict()


def test_the_asynchrony_is_a_factor_and_a_gap_fills_it(room: Room) -> None:
    made = room(("200 ms", "50 ms\n  soa: [50 ms, 100 ms]\n  mask: {duration: 100 ms}"))
    found = [trial for trial in trials(made) if not trial.practice]
    assert Counter(trial.levels["soa"] for trial in found) == {"50 ms": 12, "100 ms": 12}
    kinds = {"50 ms": "fixation stimulus mask", "100 ms": "fixation stimulus gap mask"}
    for trial in found:
        assert " ".join(phase.kind for phase in trial.phases) == kinds[str(trial.levels["soa"])]
        gaps = [phase.frames for phase in trial.phases if phase.kind == "gap"]
        assert gaps == ([3] if trial.levels["soa"] == "100 ms" else [])


def test_without_a_mask_the_asynchrony_is_that_of_the_intervals(room: Room) -> None:
    spatial = "  angles: [90, 210, 330]\n  eccentricity: 4\n"
    made = room((spatial, "  layout: temporal\n"), ("200 ms", "200 ms\n  soa: 500 ms"))
    for trial in trials(made):
        kinds = [phase.kind for phase in trial.phases]
        assert kinds == ["fixation", "stimulus", "gap", "stimulus", "gap", "stimulus"]
        assert [phase.frames for phase in trial.phases[1:]] == [12, 18, 12, 18, 12]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("500 ms", "{distribution: uniform, min: 405 ms, max: 800 ms}", ("timing.fixation", "'24 frames'")),
        ("500 ms", "{distribution: uniform, min: 800 ms, max: 400 ms}", ("not longer", "800 ms")),
        ("500 ms", "{distribution: uniform, min: 800 ms}", ("timing.fixation.max", "missing")),
        ("500 ms", "{distribution: gaussian, min: 1 ms}", ("no such distribution", "exponential")),
        ("500 ms", "{distribution: listed, values: [500 ms]}", ("timing.fixation.values", "at least 2")),
        (
            "500 ms",
            "{distribution: exponential, mean: 700 ms, min: 400 ms, max: 800 ms}",
            ("timing.fixation", "between 400 ms and 600 ms"),
        ),
        ("200 ms", "200 ms\n  soa: 100 ms\n  mask: {}", ("timing.soa", "100 ms is shorter", "200 ms")),
        ("200 ms", "200 ms\n  soa: 300 ms", ("nothing follows the pictures", "timing.mask")),
        ("200 ms", "200 ms\n  soa: 300 ms\n  between: 500 ms", ("so does between",)),
        ("200 ms", "200 ms\n  soa: 305 ms\n  mask: {}", ("timing.soa", "'18 frames'")),
    ],
)
def test_what_cannot_be_shown_is_refused(room: Room, old: str, new: str, said: tuple[str, ...]) -> None:
    with pytest.raises(StimgenError) as error:
        room((old, new))
    assert all(part in str(error.value) for part in said), str(error.value)
