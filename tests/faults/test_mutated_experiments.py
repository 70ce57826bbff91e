"""Whatever stands in an experiment's file, it is run or refused with a message, and never ends otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hand_made_experiment import EXPERIMENT, write_its_set
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from mutations import HOSTILE, Plain, paths, put

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.schema.load import load_experiment
from stimgen.reading.errors import StimgenError
from stimgen.workflow.prepared_experiment import PreparedExperiment

# Other paradigms, schedules and screens: every branch of what is checked.
OTHERS = [
    {},
    {
        "paradigm": {"name": "two_afc", "layout": "temporal"},
        "schedule": {"name": "staircase", "level": "duration", "trials": 4},
        "timing": {
            "stimulus": ["50 ms", "100 ms", "200 ms"],
            "mask": {"duration": "6 frames", "grain": 3},
            "between": "500 ms",
        },
        "responses": {"window": "2000 ms", "counts": "last", "missed": "wrong"},
        "questions": [
            "confidence",
            {"name": "rating", "text": {"en": "?", "de": "?"}, "by": "slider"},
            {"name": "choice", "text": "?", "answers": ["a", "b"], "keys": {"b": "x"}, "when": "main"},
            {"name": "typed", "text": "?", "unknown": "-", "window": "2000 ms"},
        ],
    },
    {
        "paradigm": {"name": "abx", "layout": "sample_first", "eccentricity": [2, 4]},
        "schedule": {"name": "constant", "repetitions": 4, "blocked": ["condition"], "source_gap": 0},
        "display": {
            "resolution": [400, 301],
            "width_cm": 40.0,
            "distance_cm": 60.0,
            "size": {"degrees": 1.2},
            "aperture": {"name": "flat_top", "edge": 1},
            "fixation": {"shape": "bullseye", "degrees": 0.5},
            "photodiode": {"corner": "upper left", "pixels": 10},
        },
        "responses": {"device": "mouse"},
    },
    {
        "paradigm": {
            "name": "naming",
            "names": {"brick": "wall", "coffee": ["cup", "mug"], "gravel": "stones"},
        },
        "schedule": {"name": "constant", "repetitions": 2},
        "responses": {},
    },
    {
        "paradigm": {"name": "yes_no", "place": {"angle": 0, "eccentricity": 4}},
        "schedule": {"name": "constant", "repetitions": 2},
        "timing": {
            "fixation": {"distribution": "exponential", "mean": "500 ms", "min": "300 ms", "max": "1500 ms"},
            "cue": {"mark": "line", "gap": "50 ms", "validity": ["valid", "neutral"]},
            "stimulus": "50 ms",
            "soa": ["50 ms", "100 ms"],
            "mask": {
                "before": {"name": "scrambled", "duration": "100 ms"},
                "after": {"name": "texture", "condition": "fine", "source": "other"},
            },
            "between_trials": {"distribution": "listed", "values": ["100 ms", "200 ms"]},
        },
        "responses": {},
    },
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write_its_set(folder)
    return folder


def run(home: Path, text: str) -> StimgenError | None:
    """Return the refusal, or None where a session could begin."""
    file = home / "e.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        room = PreparedExperiment.prepare(load_experiment(file), (home / "set",))
        course = room.build_procedure(Participant("01"))
        step = course.next([])
        if step is not None:
            room.frames.render_trial(step.trial)
    except StimgenError as error:
        return error
    return None


def changed(number: int) -> dict[str, Any]:
    return {**yaml.safe_load(EXPERIMENT), **OTHERS[number]}


def checked(error: StimgenError | None) -> None:
    if error is not None:
        lines = str(error).split("\n")
        assert len(lines) <= 40
        assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("number", range(len(OTHERS)))
def test_the_experiments_without_a_change_can_begin(home: Path, number: int) -> None:
    assert run(home, yaml.safe_dump(changed(number))) is None


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_another_value_somewhere(home: Path, data: st.DataObject) -> None:
    found = changed(data.draw(st.integers(0, len(OTHERS) - 1)))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(paths(found))))
        found = put(found, path, data.draw(st.sampled_from(HOSTILE)))
    # Text, because values of a file are what the reader makes of it.
    checked(run(home, yaml.dump(found, Dumper=Plain, allow_unicode=True)))


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_other_text_somewhere(home: Path, data: st.DataObject) -> None:
    lines = EXPERIMENT.split("\n")
    at, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    kind = data.draw(st.sampled_from(["delete", "twice", "swap", "cut", "insert"]))
    if kind == "delete":
        del lines[at]
    elif kind == "twice":
        lines.insert(other, lines[at])
    elif kind == "swap":
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == "cut":
        lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
    else:
        column = data.draw(st.integers(0, len(lines[at])))
        lines[at] = lines[at][:column] + data.draw(st.text(max_size=5)) + lines[at][column:]
    text = "\n".join(lines)
    assume(text != EXPERIMENT)
    checked(run(home, text))
