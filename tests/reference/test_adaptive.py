"""Adaptive schedules: where staircases converge (Levitt 1971), and QUEST+ against the package itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from stimgen.experiment.design.decisions import Design, Factor, LevelScale, Participant, TrialResult
from stimgen.experiment.design.schedules import Schedule
from stimgen.experiment.design.schedules.questplus import Questplus
from stimgen.experiment.design.schedules.staircase import Staircase


def design(numbers: tuple[float, ...], chance: float | None = 0.5) -> Design:
    names = tuple(f"c{i}" for i in range(len(numbers)))
    return Design(
        factors=(Factor("condition", names),),
        sources=("a", "b", "c", "d"),
        balanced=(Factor("location", (1, 2)),),
        participant=Participant("01"),
        key=("experiment", "adaptive", 1),
        level=LevelScale("condition", "scaling", names, numbers),
        chance=chance,
    )


def answered(
    schedule: Schedule, some: Design, correct: Callable[[float], float], seed: int
) -> tuple[list[TrialResult], list[float]]:
    """Return the history of an observer with a psychometric function, and the levels that came."""
    rng, level = np.random.default_rng(seed), some.level
    assert level is not None
    numbers = dict(zip(level.values, level.numbers, strict=True))
    history: list[TrialResult] = []
    while (choice := schedule.next(some, history)) is not None:
        right = bool(rng.random() < correct(numbers[choice.levels["condition"]]))
        history.append(TrialResult(choice.levels, choice.source, choice.track, right))
    return history, [numbers[past.levels["condition"]] for past in history]


# 27 levels, three tenths of the logistic function's scale apart.
FINE = design(tuple(round(0.3 * i, 1) for i in range(-13, 14)))


def converged(schedule: Staircase, sign: float, seed: int) -> float:
    """Return the mean threshold of twenty long tracks, each answered by a logistic function."""
    rng, level = np.random.default_rng(seed), FINE.level
    assert level is not None
    history: list[TrialResult] = []
    for track in schedule.all_tracks(FINE):
        own: list[TrialResult] = []
        for _ in range(schedule.trials):
            i = schedule.choose_level(FINE, track, own)
            right = bool(rng.random() < expit(sign * level.numbers[i]))
            own.append(TrialResult({"condition": level.values[i]}, "a", track.name, right))
        history += own
    return float(np.mean([found.threshold for found in schedule.find_thresholds(FINE, history)]))


@pytest.mark.parametrize(
    ("up", "down", "target", "harder"),
    [
        (1, 1, 0.5, "lower"),
        (1, 2, 0.7071, "lower"),
        (1, 2, 0.7071, "higher"),
        (1, 3, 0.7937, "lower"),
        (1, 4, 0.8409, "lower"),
        (2, 1, 0.2929, "lower"),
    ],
)
def test_staircases_converge_where_levitt_says(up: int, down: int, target: float, harder: str) -> None:
    sign = 1.0 if harder == "lower" else -1.0
    settings = {"level": "scaling", "harder": harder, "up": up, "down": down, "start": 0.0}
    schedule = Staircase.model_validate({**settings, "tracks": 20, "trials": 200})
    assert expit(sign * converged(schedule, sign, seed=up * 10 + down)) == pytest.approx(target, abs=0.03)


def staircase_by_hand(answers: str, **settings: Any) -> list[float]:
    """Return the levels of one track with these answers (``.`` is none), and its next."""
    some = design((1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0))
    schedule = Staircase.model_validate({"level": "scaling", "tracks": 1, "trials": 100, **settings})
    history: list[TrialResult] = []
    levels = []
    for answer in [*answers, None]:
        choice = schedule.next(some, history)
        if choice is None:
            break
        levels.append(1.0 + some.factors[0].values.index(choice.levels["condition"]))
        correct = {"+": True, "-": False}.get(answer or "")
        history.append(TrialResult(choice.levels, choice.source, choice.track, correct))
    return levels


@pytest.mark.parametrize(
    ("answers", "settings", "levels"),
    [
        # Easiest first; two correct make it harder, one wrong easier.
        ("++++-++", {}, [8, 8, 7, 7, 6, 7, 7, 6]),
        ("+-+-+", {"start": 4.0}, [4, 4, 5, 5, 6, 6]),
        ("+.+", {"start": 4.0}, [4, 4, 4, 3]),
        # Four levels a step until the first reversal, then two, then one.
        ("++-+-+", {"down": 1, "steps": [4, 2, 1]}, [8, 4, 1, 3, 2, 3, 2]),
        ("--+", {"up": 2, "down": 1, "start": 4.0}, [4, 4, 5, 4]),
        ("+++", {"down": 1, "start": 2.0}, [2, 1, 1, 1]),
        ("-+", {"harder": "higher", "down": 1, "start": 3.6}, [4, 3, 4]),
        ("++", {"harder": "higher", "down": 1}, [1, 2, 3]),
        # Turned at 3 and at 4: over after the second.
        ("+-+", {"down": 1, "start": 4.0, "reversals": 2}, [4, 3, 4]),
    ],
)
def test_staircases_step_by_step(answers: str, settings: dict[str, Any], levels: list[float]) -> None:
    assert staircase_by_hand(answers, **settings) == levels


def weibull(level: float, threshold: float, slope: float) -> float:
    return 1 - 0.5 * math.exp(-((level / threshold) ** slope))


SCALINGS = design((0.2, 0.28, 0.4, 0.57, 0.8, 1.13, 1.6))


def test_questplus_asks_for_what_the_package_asks_for() -> None:
    questplus = pytest.importorskip("questplus")
    schedule = Questplus(level="scaling", trials=15, threshold=(0.3, 0.4, 0.5, 0.65, 0.8), slope=(2.0, 4.0))
    _, levels = answered(schedule, SCALINGS, lambda level: weibull(level, 0.5, 3.0), seed=4)
    numbers = SCALINGS.level.numbers if SCALINGS.level else ()
    package = questplus.QuestPlus(
        stim_domain={"intensity": np.log10(numbers)},
        param_domain={
            "threshold": np.log10([0.3, 0.4, 0.5, 0.65, 0.8]),
            "slope": [2.0, 4.0],
            "lower_asymptote": [0.5],
            "lapse_rate": [0.0, 0.02, 0.05],
        },
        outcome_domain={"response": ["yes", "no"]},
        func="weibull",
        stim_scale="log10",
        stim_selection_method="min_entropy",
        param_estimation_method="mean",
    )
    rng = np.random.default_rng(4)
    asked = []
    with np.errstate(all="ignore"):
        for _ in levels:
            at = package.next_stim["intensity"]
            asked.append(10**at)
            right = rng.random() < weibull(10**at, 0.5, 3.0)
            package.update(stim={"intensity": at}, outcome={"response": "yes" if right else "no"})
    assert levels == pytest.approx(asked)


@pytest.mark.parametrize(("threshold", "seed"), [(0.35, 1), (0.9, 3)])
def test_questplus_recovers_a_threshold(threshold: float, seed: int) -> None:
    pytest.importorskip("questplus")
    schedule = Questplus(level="scaling", trials=40)
    history, levels = answered(schedule, SCALINGS, lambda level: weibull(level, threshold, 3.5), seed)
    (found,) = schedule.find_thresholds(SCALINGS, history)
    assert found.trials == found.counted == 40
    assert found.threshold is not None
    assert found.sd is not None
    assert found.sd < threshold / 3
    assert abs(found.threshold - threshold) < 2.6 * found.sd
    # It asks near the threshold, and not everywhere.
    assert np.median(np.abs(np.log2(np.array(levels[20:]) / threshold))) < 1.0


def test_questplus_of_what_is_harder_where_it_is_higher() -> None:
    pytest.importorskip("questplus")
    numbers = tuple(float(i) for i in range(1, 10))
    schedule = Questplus(level="scaling", harder="higher", form="normal", trials=40, slope=(0.5, 1.0, 2.0))
    some = design(numbers, chance=1 / 3)

    def correct(level: float) -> float:
        return 1 / 3 + 2 / 3 * 0.5 * math.erfc((level - 5.0) / math.sqrt(2))

    history, _ = answered(schedule, some, correct, seed=8)
    (found,) = schedule.find_thresholds(some, history)
    assert found.threshold is not None
    assert found.sd is not None
    assert abs(found.threshold - 5.0) < 2.6 * found.sd < 2.6
