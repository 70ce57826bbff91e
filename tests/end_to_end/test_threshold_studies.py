"""Studies of simulated observers find the thresholds that were put in, by QUEST+ and by staircases."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
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


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


def find_thresholds(folder: Path, name: str, runs: int, **settings: Any) -> np.ndarray[Any, Any]:
    """Return the threshold of every session of a study; not a number if a track has none."""
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
    found = [[track.threshold or np.nan for track in one.thresholds] for one in ended]
    return np.asarray(np.nanmean(np.array(found, dtype=float), axis=1))


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
def test_fifty_sessions_find_the_threshold_without_bias(
    folder: Path, name: str, record_property: Callable[[str, object], None]
) -> None:
    found, true = find_thresholds(folder, name, 50, **STUDIES[name]), expected(name)
    known = found[np.isfinite(found)]
    record_property("bias", float(known.mean() / true - 1))
    record_property("spread", float(known.std() / true))
    assert len(known) >= 48
    assert known.mean() == pytest.approx(true, rel=0.08)
    assert known.std() < 0.2 * true
