"""An observer of known sensitivity: how often it lapses and guesses, how long it takes, and its clock."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest, lognorm, norm

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.trial import Phase, Trial, TrialOutcome
from stimgen.experiment.schema.observer_settings import PsychometricFunction, SimulatedObserverSettings
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.sensitivity import SensitivityTable
from stimgen.experiment.session.observers.base import PreparedTrial
from stimgen.experiment.session.observers.simulated import compute_psychometric, make
from stimgen.reading.document import read_document
from stimgen.reading.model import validate

NAMES = {"a": "apple", "b": "bell", "c": "cup", "d": "door"}


def setting(**settings: Any) -> Any:
    """What a simulated observer asks of a setting, at 100 Hz."""
    said = {
        "name": "simulated",
        "stimuli": {"sets": ["set"]},
        "paradigm": {"name": "oddity"},
        "schedule": {"name": "constant", "level": "scaling"},
        "display": {"pixels_per_degree": 10, "resolution": [60, 50], "refresh_hz": 100.0},
        "timing": {"between_trials": "400 ms"},
    }
    experiment = Experiment.model_validate({**said, **settings})
    return SimpleNamespace(
        experiment=experiment,
        participant=Participant("01"),
        pool=SimpleNamespace(conditions=("texture",), sources=("a",), practice_sources=(), labels=()),
        viewing=SimpleNamespace(refresh_hz=100.0),
        keys={},
    )


def task(some: Any, index: int, number: float | None = None, *, feedback: bool = False) -> PreparedTrial:
    """A trial of fixation, two intervals of 200 ms, and a mask of 100 ms."""
    paradigm = some.experiment.paradigm
    guesses = paradigm.guesses()
    phases = (
        Phase(kind="fixation", frames=50),
        Phase(kind="stimulus", frames=20, interval=1),
        Phase(kind="between", frames=30),
        Phase(kind="stimulus", frames=20, interval=2),
        Phase(kind="mask", frames=10, interval=2),
    )
    trial = Trial(
        index=index,
        block=1,
        levels={"condition": "texture"},
        number=number,
        source="a",
        balanced={},
        phases=phases,
        answers=paradigm.answers(),
        correct=guesses[index % len(guesses)],
    )
    frames: Any = [SimpleNamespace(sha256=f"{i}") for i in range(len(phases))]
    return PreparedTrial(trial, lambda: frames, feedback)


def outcomes(some: Any, count: int, number: float | None = None) -> list[tuple[PreparedTrial, TrialOutcome]]:
    observer = make(some)
    tasks = [task(some, i, number) for i in range(1, count + 1)]
    return [(one, observer.respond(one)) for one in tasks]


def correct(found: list[tuple[PreparedTrial, TrialOutcome]]) -> float:
    return float(np.mean([outcome.answer == one.trial.correct for one, outcome in found]))


def near(found: float, expected: float, count: int) -> bool:
    """Return whether a proportion is within four standard errors of what was expected."""
    return abs(found - expected) < 4 * math.sqrt(expected * (1 - expected) / count)


COUNT = 400


@pytest.mark.parametrize("paradigm", [{"name": "oddity"}, {"name": "naming", "names": NAMES, "typed": True}])
@pytest.mark.parametrize("lapse", [0.25, 1.0])
def test_lapses_are_any_answer(paradigm: dict[str, Any], lapse: float) -> None:
    some = setting(paradigm=paradigm, simulated={"dprime": 15.0, "lapse": lapse})
    found = outcomes(some, COUNT)
    every = some.experiment.paradigm.guesses()
    assert near(correct(found), 1 - lapse + lapse / len(every), COUNT)
    wrong = Counter(outcome.answer for one, outcome in found if outcome.answer != one.trial.correct)
    assert set(wrong) <= set(every)
    assert max(wrong.values()) < 2 * min(wrong.values())


@pytest.mark.parametrize(
    ("number", "simulated", "expected"),
    [
        (1e-9, {"psychometric": {"threshold": 1.0}}, 1 / 3),
        (1e-9, {"psychometric": {"threshold": 1.0}, "guess": 0.6}, 0.6),
        (1e9, {"psychometric": {"threshold": 1.0}, "lapse": 0.3}, 0.8),
        (1.0, {"psychometric": {"threshold": 1.0}}, 1 / 3 + 2 / 3 * (1 - math.exp(-1))),
        (
            2.0,
            {"psychometric": {"form": "normal", "threshold": 1.0, "slope": -0.5}, "guess": 0.5},
            0.5 + 0.5 * norm.cdf(-0.5),
        ),
        (
            3.0,
            {"psychometric": {"form": "logistic", "threshold": 2.0, "slope": 1.0}, "lapse": 0.1},
            0.1 / 3 + 0.9 * (1 / 3 + 2 / 3 / (1 + math.exp(-1))),
        ),
    ],
)
def test_a_psychometric_function_with_guesses_and_lapses(
    number: float, simulated: dict[str, Any], expected: float
) -> None:
    assert near(correct(outcomes(setting(simulated=simulated), COUNT, number)), expected, COUNT)


def test_psychometric_functions_rise_or_fall() -> None:
    levels = np.linspace(0.05, 8, 60)
    for form in ("weibull", "logistic", "normal"):
        for slope in (3.0, -3.0):
            function = PsychometricFunction.model_validate({"form": form, "threshold": 1.5, "slope": slope})
            values = [compute_psychometric(function, float(level)) for level in levels]
            assert values == sorted(values, reverse=slope < 0)
            assert 0 <= min(values) < 0.02
            assert 0.98 < max(values) <= 1
            middle = 1 - math.exp(-1) if form == "weibull" else 0.5
            assert compute_psychometric(function, 1.5) == pytest.approx(middle)
    assert compute_psychometric(PsychometricFunction(threshold=1.0), 0.0) == 0.0


def test_what_the_documentation_says_of_an_observer_can_be_said(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "designs.md").read_text()
    found = []
    for block in re.findall(r"```yaml\n(simulated:.*?)```", page, flags=re.DOTALL):
        (tmp_path / "block.yaml").write_text(block)
        document = read_document(tmp_path / "block.yaml")
        found.append(validate(SimulatedObserverSettings, document.data["simulated"], document))
    assert found[0].dprime == {"texture": 2.0, "texform": 1.2}
    assert found[0].lapse == 0.02
    assert found[1].dprime == SensitivityTable(
        by=("eccentricity", "condition"),
        values={"4": {"texture": 2.0, "texform": 1.2}, "10": 0.6},
        times={"duration": {"200 ms": 0.7, "2000 ms": 1.0}},
    )


def test_some_answers_are_missing() -> None:
    found = outcomes(setting(simulated={"missing": 0.2}), COUNT)
    assert near(float(np.mean([outcome.answer is None for _, outcome in found])), 0.2, COUNT)
    for _, outcome in found:
        assert (outcome.answer is None) == (outcome.seconds is None) == (not outcome.presses)


def test_response_times_are_shifted_log_normal() -> None:
    some = setting(simulated={"time": {"shift": 0.3, "median": 0.5, "sigma": 0.6}})
    seconds = np.array([outcome.seconds for _, outcome in outcomes(some, COUNT)], dtype=float)
    # From the onset of the first picture; answers count from the onset of the last, half a second later.
    times = seconds - 0.5
    assert times.min() > 0.3
    assert kstest(times, lognorm(s=0.6, loc=0.3, scale=0.5).cdf).pvalue > 0.01
    assert np.median(times) == pytest.approx(0.8, abs=0.05)
    same = np.array([outcome.seconds for _, outcome in outcomes(some, 50)], dtype=float)
    assert (same == seconds[:50]).all()
    other = outcomes(setting(simulated={"time": {"median": 0.5}, "seed": 2}), 50)
    assert any(outcome.seconds != seconds[i] for i, (_, outcome) in enumerate(other))


SURE = {"shift": 0.25, "median": 0.1, "sigma": 0.0}  # 350 ms, always


def shots(some: Any, *, feedback: bool = False) -> list[tuple[TrialOutcome, list[float], list[float]]]:
    """Return two trials with onsets and durations in ms."""
    observer = make(some)
    found = []
    for index in (1, 2):
        outcome = observer.respond(task(some, index, feedback=feedback))
        onsets = [round(shot.onset * 1000, 3) for shot in outcome.shots]
        found.append((outcome, onsets, [round(shot.duration * 1000, 3) for shot in outcome.shots]))
    return found


def test_time_passes_as_it_was_meant_to() -> None:
    (first, onsets, durations), (_, later, _) = shots(setting(simulated={"time": SURE}))
    assert onsets == [0, 500, 700, 1000, 1200]
    assert durations == [500, 200, 300, 200, 100]
    # Answered 350 ms after the onset of the second picture, 850 ms after that of the first: at 1350.
    assert first.seconds == pytest.approx(0.85)
    assert first.presses[0].answer == first.answer
    # The mask ended at 1300; 400 ms after the answer the next trial begins.
    assert later[0] == 1750
    assert [shot.dropped for shot in first.shots] == [0] * 5
    assert [shot.frame_sha256 for shot in first.shots] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("responses", "seconds", "begins"),
    [
        ({"start": "offset"}, 1.05, 1550 + 400),
        ({"window": "1000 ms", "counts": "last"}, 0.85, 2300 + 400),
        ({"window": "1000 ms"}, 0.85, 1350 + 400),
        # Answers that come after the window are none, and it is awaited to its end.
        ({"window": "40 ms"}, None, 1340 + 400),
        ({"window": "50 ms"}, 0.85, 1350 + 400),
    ],
)
def test_windows(responses: dict[str, Any], seconds: float | None, begins: float) -> None:
    (first, _, _), (_, later, _) = shots(setting(simulated={"time": SURE}, responses=responses))
    assert first.seconds == (None if seconds is None else pytest.approx(seconds))
    assert later[0] == begins


def test_feedback_takes_time() -> None:
    some = setting(simulated={"time": SURE}, feedback={"when": "always", "duration": "250 ms"})
    (_, _, _), (_, later, _) = shots(some, feedback=True)
    assert later[0] == 1350 + 250 + 400


def test_an_answer_may_take_the_pictures_from_the_screen() -> None:
    quick = {"shift": 0.0, "median": 0.123, "sigma": 0.0}
    (first, onsets, durations), (_, later, _) = shots(
        setting(simulated={"time": quick}, responses={"ends_stimulus": True})
    )
    # At the refresh after 123 ms; the mask comes then.
    assert durations == [500, 200, 300, 130, 100]
    assert onsets == [0, 500, 700, 1000, 1130]
    assert first.shots[3].intended_duration == 0.2
    assert later[0] == 1230 + 400
