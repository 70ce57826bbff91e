"""One-back: which pictures are repeated, what presses mean, and how many repetitions are found."""

from __future__ import annotations

import math
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import norm

from stimgen.experiment.design.decisions import Design, Participant, TrialDecision
from stimgen.experiment.design.paradigms.base import Perception
from stimgen.experiment.design.paradigms.one_back import OneBack
from stimgen.experiment.design.schedules.constant import Constant
from stimgen.experiment.design.streams import count_hits, parse_positions
from stimgen.experiment.design.trial import Phase, Trial
from stimgen.experiment.presentation.responses import make_key_lookup
from stimgen.experiment.presentation.screen import PressEvent
from stimgen.experiment.presentation.stream_response import StreamResponse
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.timing import ResponseSettings
from stimgen.reading.errors import StimgenError

SOURCES = tuple("abcdefgh")


def stream_trial(paradigm: OneBack, correct: str = "4+9", frames: int = 20, between: int = 10) -> Trial:
    """A stream at 100 Hz: a picture every 300 ms, after half a second of fixation."""
    phases = [Phase(kind="fixation", frames=50)]
    for position in range(1, paradigm.length + 1):
        phases.append(Phase(kind="stimulus", frames=frames, interval=position))
        phases.append(Phase(kind="between", frames=between))
    return Trial(
        index=1,
        block=1,
        levels={"condition": "texture"},
        source="+".join(SOURCES),
        balanced={"repeated": "3+7"},
        phases=tuple(phases),
        answers=paradigm.answers(),
        correct=correct,
    )


def design(paradigm: OneBack, participant: str = "01", sources: tuple[str, ...] = SOURCES) -> Design:
    return Design(
        factors=paradigm.picture_factors(("one", "two"), ("key",)),
        sources=paradigm.list_sources(sources, ("key",)),
        balanced=paradigm.balanced_factors("original-synthesis"),
        participant=Participant(participant),
        key=("one_back", 1),
    )


@settings(max_examples=60)
@given(different=st.integers(2, 8), repeats=st.integers(1, 4), lap=st.integers(0, 5))
def test_streams_are_balanced(different: int, repeats: int, lap: int) -> None:
    repeats = min(repeats, different)
    paradigm = OneBack(length=different + repeats, repeats=repeats)
    places: Counter[tuple[str, int]] = Counter()
    repeated: Counter[tuple[str, object]] = Counter()
    lists = len(paradigm.balanced_factors("original-synthesis")[0].values)
    for label in range(lap * lists + 1, (lap + 1) * lists + 1):
        some = design(paradigm, f"{label:03}")
        for decision in Constant(balance="across").list_decisions(some):
            made = paradigm.arrange(decision, "original-synthesis")
            (shown,) = zip(*made.intervals, strict=True)
            assert len(shown) == paradigm.length
            again = [i + 1 for i in range(1, len(shown)) if shown[i] == shown[i - 1]]
            assert parse_positions(made.correct) == tuple(again)
            assert len(again) == repeats
            assert len({slot.source for slot in shown}) == different
            places.update((str(slot.source), i) for i, slot in enumerate(dict.fromkeys(shown)))
            repeated[decision.source, decision.balanced["repeated"]] += 1
    # Every source is at every place equally often, and every stream has every list of repetitions.
    assert len(set(places.values())) == 1
    assert len(places) == len(SOURCES) * different
    assert len(set(repeated.values())) == 1


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [
        # A picture every 300 ms: the fourth comes at 0.9 s, the ninth at 2.4 s.
        ([1.3, 2.9], "4+9"),
        # The next picture is on the screen, but the repetition is less than a second ago.
        ([1.85], "4"),
        ([1.95], "7"),
        ([0.4, 1.3, 1.4, 2.9], "2+4+5+9"),
        ([1.3, 1.31, 3.3], "4+5+9"),
        ([], "none"),
        ([9.0], "12"),
    ],
)
def test_what_presses_mean(seconds: list[float], answer: str) -> None:
    paradigm = OneBack()
    assert paradigm.read_presses(stream_trial(paradigm), seconds, 100.0) == answer


def test_hits_and_false_alarms() -> None:
    trial = stream_trial(OneBack())
    assert count_hits(trial, "2+4+9") == (2, 2, 1)
    assert count_hits(trial, None) == (2, 0, 0)
    assert count_hits(trial.replace(answers=("yes", "no")), "yes") is None


@pytest.mark.parametrize(("dprime", "mean", "criterion"), [(2.5, 2.5, 0.0), (2.0, 1.0, 0.4)])
def test_the_rates_are_those_of_yes_no(dprime: float, mean: float, criterion: float) -> None:
    paradigm, rng = OneBack(length=12, repeats=2, criterion=criterion), np.random.default_rng(3)
    stream: Any = SimpleNamespace(normal=lambda: float(rng.standard_normal()))
    trial, count = stream_trial(paradigm), 3000
    answers = [paradigm.decide(trial, Perception(dprime, mean), stream) for _ in range(count)]
    counted = np.array([count_hits(trial, answer) for answer in answers])
    hits, alarms = counted[:, 1].sum() / (2 * count), counted[:, 2].sum() / (9 * count)
    assert hits == pytest.approx(norm.cdf(dprime - mean / 2 - criterion), abs=0.025)
    assert alarms == pytest.approx(norm.cdf(-mean / 2 - criterion), abs=0.01)
    expected = paradigm.proportion_correct_among(Perception(dprime, mean))
    right = np.mean([paradigm.grade(trial, answer) is True for answer in answers])
    assert right == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / count))


def test_features_of_repetitions_do_not_differ() -> None:
    paradigm, rng = OneBack(), np.random.default_rng(8)
    pictures = rng.standard_normal((10, 60))
    order = [0, 1, 2, 2, 3, 4, 5, 6, 6, 7, 8, 9]
    features = (pictures[order] + 0.1 * rng.standard_normal((12, 60))).tolist()
    stream: Any = None
    assert paradigm.judge_features(stream_trial(paradigm), features, stream) == "4+9"


class Screen:
    """A screen whose clock is set by hand, and which passes presses on."""

    def __init__(self) -> None:
        self.now = 10.0
        self.waiting: list[PressEvent] = []

    def read_clock(self) -> float:
        return self.now

    def read_presses(self) -> list[PressEvent]:
        found, self.waiting = self.waiting, []
        return found


def test_all_presses_of_a_stream_count_until_the_window_closes() -> None:
    paradigm, screen = OneBack(), Screen()
    trial, lookup = stream_trial(paradigm), make_key_lookup({"repeat": ("space",)}, mouse=False)
    some: Any = screen
    response = StreamResponse(
        some, ResponseSettings(), lookup, lambda seconds: paradigm.read_presses(trial, seconds, 100.0)
    )
    response.window.onset = 10.0
    screen.waiting = [PressEvent("space", 9.9), PressEvent("space", 11.3), PressEvent("x", 11.4)]
    response.listen()
    assert not response.is_complete
    response.window.closes = 14.0
    screen.waiting = [PressEvent("space", 12.9), PressEvent("space", 14.1)]
    response.listen()
    screen.now = 14.2
    assert response.is_complete
    counted = response.counted_press
    assert counted is not None
    assert (counted.answer, counted.key, counted.seconds) == ("4+9", "space", 1.3)
    assert [press.answer for press in response.presses] == ["repeat"] * 4


EXPERIMENT: dict[str, Any] = {
    "name": "stream",
    "stimuli": {"sets": ["set"]},
    "paradigm": {"name": "one_back"},
    "schedule": {"name": "constant"},
    "display": {"pixels_per_degree": 10, "resolution": [60, 50], "refresh_hz": 100.0},
    "responses": {"window": "1000 ms"},
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"responses": {}}, "a stream needs responses.window"),
        ({"responses": {"window": "1 frame", "device": "mouse"}}, "device: mouse is not possible"),
        ({"responses": {"window": "1 frame", "ends_stimulus": True}}, "ends_stimulus: true is not possible"),
        ({"paradigm": {"name": "one_back", "length": 6, "repeats": 4}}, "do not fit into a stream of 6"),
        ({"schedule": {"name": "staircase", "level": "duration"}}, "needs schedule: constant"),
    ],
)
def test_mistakes(changes: dict[str, Any], words: str) -> None:
    assert Experiment.model_validate(EXPERIMENT)
    with pytest.raises(ValidationError, match=words):
        Experiment.model_validate({**EXPERIMENT, **changes})


def test_too_few_sources() -> None:
    with pytest.raises(StimgenError, match=r"10 different sources, but there are only 4") as error:
        OneBack().list_sources(tuple("abcd"), ("key",))
    assert error.value.hint == "use more sources, or write paradigm.length: 6"


def test_a_stream_shows_the_original_if_asked() -> None:
    paradigm = OneBack(length=5, repeats=1, show="original")
    decision = TrialDecision(1, {"condition": "one"}, "a+b+c+d", {"repeated": "2"})
    made = paradigm.arrange(decision, "original-synthesis")
    assert made.correct == "3"
    assert [(one.role, one.source) for (one,) in made.intervals] == [("original", s) for s in "abbcd"]
    assert len(paradigm.picture_factors(("one", "two"), ("key",))[0].values) == 1
