"""The true d' of a simulated observer: by any factors, and by nothing that is not on the screen."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import norm

from stimgen.experiment.design.decisions import Factor, Participant
from stimgen.experiment.design.paradigms.base import Perception
from stimgen.experiment.design.paradigms.rating import Rating
from stimgen.experiment.design.paradigms.yes_no import YesNo
from stimgen.experiment.design.trial import Phase, ShownPicture, Trial
from stimgen.experiment.schema.observer_settings import SimulatedObserverSettings
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.session.observers.simulated import SimulatedObserver
from stimgen.experiment.session.true_sensitivity import SensitivityRule
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream

FACTORS = (
    Factor("condition", ("texture", "texform")),
    Factor("duration", ("200 ms", "2 s")),
    Factor("eccentricity", (2.0, 8.5)),
    Factor("oddball", ("original", "synthesis")),
    Factor("source", ("a", "b")),
)


def trial(shown: tuple[str, ...] = ("synthesis",), correct: str = "no", **levels: Any) -> Trial:
    """A trial that shows pictures of these roles."""
    pictures = tuple(
        ShownPicture(
            set=0,
            id=None,
            file="a.png",
            sha256="0",
            role=role,  # type: ignore[arg-type] # a role
            condition=str(levels.get("condition", "texture")),
            source="a",
            seed=None,
            crop=(0, 0, 8, 8),
            position=(0, 0),
            degrees=(0, 0),
            size=(8, 8),
            size_degrees=(1, 1),
            encoding="srgb",
        )
        for role in shown
    )
    return Trial(
        index=1,
        block=1,
        levels={"condition": "texture", **levels},
        source="a",
        balanced={"oddball": "original", "a": "original", "shown": shown[0]},
        phases=(Phase(kind="stimulus", frames=1, interval=1, shown=pictures),),
        answers=("yes", "no"),
        correct=correct,
    )


def rule(dprime: Any) -> SensitivityRule:
    return SensitivityRule.build(SimulatedObserverSettings(dprime=dprime).dprime, FACTORS)


BY_TWO = {
    "by": ["eccentricity", "condition"],
    "values": {"2": {"texture": 3.0, "texform": 2.0}, "8.5": 1.0},
    "times": {"duration": {"200 ms": 0.5, "2 s": 1.0}},
}


@pytest.mark.parametrize(
    ("dprime", "levels", "expected"),
    [
        (None, {}, 1.5),
        (2.0, {}, 2.0),
        ({"texture": 2.0, "texform": 1.0}, {"condition": "texform"}, 1.0),
        ({"by": "duration", "values": {"200 ms": 1.0, "2 s": 2.5}}, {"duration": "2 s"}, 2.5),
        ({"by": "oddball", "values": {"original": 1.0, "synthesis": 2.5}}, {}, 1.0),
        (
            {"by": ["source", "condition"], "values": {"a": 0.5, "b": {"texture": 1.0, "texform": 2.0}}},
            {},
            0.5,
        ),
        (BY_TWO, {"eccentricity": 2.0, "condition": "texform", "duration": "2 s"}, 2.0),
        (BY_TWO, {"eccentricity": 2.0, "condition": "texture", "duration": "200 ms"}, 1.5),
        (BY_TWO, {"eccentricity": 8.5, "condition": "texture", "duration": "200 ms"}, 0.5),
    ],
)
def test_dprime_by_factors(dprime: Any, levels: dict[str, Any], expected: float) -> None:
    assert rule(dprime).find_dprime(trial(**levels)) == pytest.approx(expected)


def test_the_mean_weighs_all_cells_alike() -> None:
    cells = [w * d for w, d in product((0.5, 1.0), (3.0, 2.0, 1.0, 1.0))]
    assert rule(BY_TWO).mean == pytest.approx(np.mean(cells))
    assert rule({"texture": 2.0, "texform": 1.0}).mean == 1.5
    assert rule(2.0).mean == 2.0


def test_where_originals_alone_are_shown_the_condition_does_not_matter() -> None:
    some = rule(BY_TWO)
    for duration, weight in (("200 ms", 0.5), ("2 s", 1.0)):
        found = {
            some.find_dprime(trial(("original",), condition=condition, duration=duration, eccentricity=2.0))
            for condition in ("texture", "texform")
        }
        # What can be seen, such as the duration, does.
        assert found == {2.5 * weight}


@pytest.mark.parametrize(
    ("dprime", "words"),
    [
        ({"textur": 2.0, "texform": 1.0}, ["no value 'textur'", "did you mean 'texture'"]),
        ({"texture": 2.0}, ["has no value for condition 'texform'"]),
        ({"by": "eccentricty", "values": 1.0}, ["no factor 'eccentricty'", "did you mean 'eccentricity'"]),
        ({"by": "eccentricity", "values": {"2": 1.0, "8": 2.0}}, ["has no value '8'", "8.5"]),
        (
            {"by": ["duration", "condition"], "values": {"200 ms": 1.0, "2 s": {"texture": 1.0}}},
            ["no value for condition 'texform' below '2 s'"],
        ),
        ({"by": "condition", "values": 1.0, "times": {"duration": {"2 s": 1.0}}}, ["'200 ms' in times"]),
    ],
)
def test_mistakes_say_what_is_missing(dprime: Any, words: list[str]) -> None:
    with pytest.raises(StimgenError) as error:
        rule(dprime)
    for word in ("simulated.dprime", *words):
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("dprime", "words"),
    [
        ({"by": "condition", "values": {"texture": {"2 s": 1.0}}}, "nested 2 deep, but by names 1 factor"),
        ({"by": ["condition", "condition"], "values": 1.0}, "named twice"),
        ({"by": "condition", "values": 1.0, "times": {"condition": {"texture": 1.0}}}, "both by and times"),
        ({"by": "condition", "values": {"texture": -1.0}}, "greater than or equal to 0"),
        ({"by": "condition", "value": {"texture": 1.0}}, "unknown key 'value'"),
    ],
)
def test_tables_are_checked(dprime: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SimulatedObserverSettings(dprime=dprime)


PARADIGMS = [
    {"name": "oddity"},
    {"name": "abx"},
    {"name": "abx", "rule": "independent"},
    {"name": "two_afc"},
    {"name": "same_different"},
    {"name": "yes_no", "criterion": 0.3},
    {"name": "naming", "names": {"a": "apple", "b": "bell"}},
]
SIMULATED = [
    {"dprime": {"texture": 3.0, "texform": 0.4}},
    {"psychometric": {"threshold": 1.0, "slope": 2.0}, "guess": 0.2},
]


def observer(paradigm: dict[str, Any], simulated: dict[str, Any]) -> SimulatedObserver:
    values = {"texture": 4.0, "texform": 0.2}
    said = {
        "name": "simulated",
        "stimuli": {"sets": ["set"]},
        "schedule": {"name": "constant", "level": "condition", "values": values},
        "display": {"pixels_per_degree": 10, "resolution": [60, 50], "refresh_hz": 100.0},
    }
    if paradigm["name"] == "rating":
        said["schedule"] = {"name": "constant"}
    experiment = Experiment.model_validate({**said, "paradigm": paradigm, "simulated": simulated})
    pool = SimpleNamespace(
        conditions=("texture", "texform"), sources=("a", "b"), practice_sources=(), labels=()
    )
    context: Any = SimpleNamespace(experiment=experiment, participant=Participant("01"), pool=pool, keys={})
    return SimulatedObserver(context)


@pytest.mark.parametrize("simulated", SIMULATED)
@pytest.mark.parametrize("paradigm", PARADIGMS)
@given(seed=st.integers(0, 10_000), which=st.integers(0, 3))
def test_a_label_that_is_not_on_the_screen_changes_no_answer(
    paradigm: dict[str, Any], simulated: dict[str, Any], seed: int, which: int
) -> None:
    """Trials that show the same originals are answered alike, whatever condition they are listed for."""
    some = observer(paradigm, simulated)
    guesses = some.context.experiment.paradigm.guesses()
    correct = {"yes_no": "yes", "same_different": "same"}.get(
        str(paradigm["name"]), guesses[which % len(guesses)]
    )
    numbers = {"texture": 4.0, "texform": 0.2}
    found = {
        some._answer(
            trial(("original", "original"), correct, condition=condition).replace(
                number=numbers[condition], answers=some.context.experiment.paradigm.answers()
            ),
            RandomStream("label", seed),
        )
        for condition in numbers
    }
    assert len(found) == 1


def test_originals_are_rated_alike_in_all_conditions() -> None:
    some = observer({"name": "rating"}, SIMULATED[0])
    for seed in range(100):
        found = {
            some._answer(
                trial(("original",), "", condition=condition).replace(correct=None),
                RandomStream("rating", seed),
            )
            for condition in ("texture", "texform")
        }
        assert len(found) == 1


def test_syntheses_are_rated_lower_than_originals_by_their_own_dprime() -> None:
    rating = Rating(steps=2)  # two steps part at the middle of the scale

    def share(role: str, dprime: float) -> float:
        shown = trial((role,)).replace(balanced={"shown": role}, answers=("1", "2"))
        perceived = Perception(dprime, mean_dprime=2.0)
        high = [rating.decide(shown, perceived, RandomStream("rating", i)) == "2" for i in range(4000)]
        return float(np.mean(high))

    assert share("original", 2.0) == pytest.approx(norm.cdf(1.0), abs=0.02)
    assert share("synthesis", 1.0) == pytest.approx(norm.cdf(0.0), abs=0.03)
    assert share("synthesis", 3.0) == pytest.approx(norm.cdf(-2.0), abs=0.02)


def rates(some: SimulatedObserver, condition: str, number: float) -> tuple[float, float]:
    """Return how often originals, and syntheses of a condition, are called originals."""
    stream = RandomStream("rates", condition)
    found = []
    for shown, correct in (("original", "yes"), ("synthesis", "no")):
        one = trial((shown,), correct, condition=condition).replace(number=number)
        found.append(float(np.mean([some._answer(one, stream) == "yes" for _ in range(800)])))
    return found[0], found[1]


def test_yes_no_has_one_criterion_at_half_the_mean_dprime() -> None:
    some = observer(PARADIGMS[5], SIMULATED[0])
    criterion = 0.3 - 1.7 / 2
    for condition, dprime in (("texture", 3.0), ("texform", 0.4)):
        hits, alarms = rates(some, condition, 1.0)
        assert hits == pytest.approx(norm.sf(criterion), abs=0.06)
        assert alarms == pytest.approx(norm.sf(criterion + dprime), abs=0.06)
        expected = YesNo(criterion=0.3).proportion_correct_among(Perception(dprime, 1.7))
        assert (hits + 1 - alarms) / 2 == pytest.approx(expected, abs=0.06)


def test_with_one_dprime_yes_no_answers_as_it_always_did() -> None:
    stream, again = RandomStream("old", 1), RandomStream("old", 1)
    for i in range(200):
        correct = ("yes", "no")[i % 2]
        found = YesNo(criterion=0.4).decide(trial(correct=correct), Perception.constant(1.25), stream)
        before = again.normal() + (0.625 if correct == "yes" else -0.625)
        assert found == ("yes" if before > 0.4 else "no")


def test_without_a_signal_a_psychometric_function_gives_false_alarms_at_one_rate() -> None:
    some = observer(PARADIGMS[5], SIMULATED[1])
    for condition, level in (("texture", 4.0), ("texform", 0.2)):
        hits, alarms = rates(some, condition, level)
        assert 1 - hits == pytest.approx(0.2, abs=0.05)
        seen = 1 - np.exp(-(level**2))
        assert 1 - alarms == pytest.approx(0.2 + 0.8 * seen, abs=0.05)
