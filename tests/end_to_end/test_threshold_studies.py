"""Studies of simulated observers find the thresholds that were put in, by QUEST+ and by staircases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hand_made import Wanted, write_set
from scipy.optimize import brentq

from stimgen.experiment.design.decisions import participant_labels
from stimgen.experiment.design.paradigms.abx import Abx
from stimgen.experiment.schema.load import load_experiment
from stimgen.workflow.run import RunOptions
from stimgen.workflow.study import SessionId, run_study

THRESHOLD = 0.6
"""Scaling at which d' is 1."""
SLOPE = 2.5
SCALINGS = {f"scaling-{i}": round(0.25 * 1.26**i, 4) for i in range(7)}
DPRIMES = {name: (scaling / THRESHOLD) ** SLOPE for name, scaling in SCALINGS.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a set of four sources and seven scalings."""
    made = tmp_path_factory.mktemp("studies")
    write_set(made / "set", Wanted(tuple("abcd"), tuple(SCALINGS), (1, 3), array=False))
    return made


def find_thresholds(folder: Path, name: str, runs: int, **settings: Any) -> np.ndarray[Any, Any]:
    """Return the mean threshold of every session of a study; not a number if no track has one."""
    file = folder / f"{name}.yaml"
    schedule = {"level": "scaling", "values": SCALINGS, **settings.pop("schedule")}
    said = {
        "name": name,
        "stimuli": {"sets": ["set"], "again": "same"},
        "display": {"pixels_per_degree": 10, "resolution": [60, 50], "background": 0.5},
        "timing": {"fixation": "0 ms", "stimulus": "200 ms", "between": "0 ms"},
        "simulated": {"dprime": DPRIMES},
        "schedule": schedule,
        **settings,
    }
    file.write_text(json.dumps(said))
    ended = list(
        run_study(
            load_experiment(file),
            SessionId(None, "1"),
            runs,
            RunOptions("simulated", data=folder / f"data_{name}_{runs}"),
        )
    )
    assert len(ended) == len(participant_labels(runs))
    found = [[track.threshold for track in one.thresholds if track.threshold is not None] for one in ended]
    return np.array([np.mean(thresholds) if thresholds else np.nan for thresholds in found])


STUDIES: dict[str, dict[str, Any]] = {
    "yes_no_questplus": {
        "paradigm": {"name": "yes_no", "criterion": 0.3},
        "schedule": {"name": "questplus", "trials": 120},
    },
    "same_different_questplus": {
        "paradigm": {"name": "same_different", "criterion": 2.0},
        "schedule": {"name": "questplus", "trials": 120},
    },
    "abx_staircase": {
        "paradigm": {"name": "abx"},
        "stimuli": {"sets": ["set"], "again": "same", "meet": "synthesis-synthesis"},
        "schedule": {"name": "staircase", "trials": 60, "tracks": 2},
    },
}


def expected(name: str) -> float:
    """Return the level at which a study's threshold should lie."""
    if name != "abx_staircase":
        return THRESHOLD
    # A staircase of two down and one up converges at .707 correct.
    dprime = brentq(lambda d: Abx().proportion_correct(d) - 0.5**0.5, 0.1, 6)
    return float(THRESHOLD * dprime ** (1 / SLOPE))


@pytest.mark.parametrize("name", ["yes_no_questplus", "abx_staircase"])
def test_a_few_sessions_find_the_threshold(folder: Path, name: str) -> None:
    found = find_thresholds(folder, name, 4, **STUDIES[name])
    assert np.mean(found) == pytest.approx(expected(name), rel=0.2)


@pytest.mark.long
@pytest.mark.parametrize("name", STUDIES)
def test_fifty_sessions_find_the_threshold(folder: Path, name: str) -> None:
    found, true = find_thresholds(folder, name, 50, **STUDIES[name]), expected(name)
    known = found[np.isfinite(found)]
    assert len(known) >= 48
    # A staircase with steps of 26 per cent lies a quarter of a step too far on the harder side.
    assert known.mean() == pytest.approx(true, rel=0.1 if name == "abx_staircase" else 0.05)
    assert known.std() < 0.2 * true


@pytest.mark.long
@pytest.mark.parametrize(
    ("task", "criterion"),
    [
        *(("yes_no", place) for place in (-1.0, -0.5, 0.0, 0.5, 1.0)),
        *(("same_different", place) for place in (0.5, 1.5, 2.5)),
    ],
)
def test_thirty_sessions_find_the_threshold_with_any_criterion(
    folder: Path, task: str, criterion: float
) -> None:
    """Fifty of one criterion are above, and fifty runs of the schedule alone are a test of its own."""
    name = f"{task}_{10 * criterion:.0f}".replace("-", "minus")
    paradigm = {"name": task, "criterion": criterion}
    schedule = {"name": "questplus", "trials": 120}
    found = find_thresholds(folder, name, 30, paradigm=paradigm, schedule=schedule)
    known = found[np.isfinite(found)]
    assert len(known) >= 28
    assert known.mean() == pytest.approx(THRESHOLD, rel=0.1)
    assert known.std() < 0.2 * THRESHOLD
