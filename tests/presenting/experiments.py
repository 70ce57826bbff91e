"""Small experiments for these tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from room import SIZE

WIDTH_CM, DISTANCE_CM = 40.0, 57.0

BASE: dict[str, Any] = {
    "stimuli": {"sets": ["set"], "crop": {"size": 20}},
    "schedule": {"name": "constant", "balance": "across"},
    "display": {
        "resolution": SIZE,
        "width_cm": WIDTH_CM,
        "distance_cm": DISTANCE_CM,
        "unverified_timing": "mark",
    },
    "timing": {
        "fixation": "2 frames",
        "stimulus": "6 frames",
        "between": "2 frames",
        "between_trials": "2 frames",
    },
    "feedback": {"duration": "2 frames"},
    "instructions": {"en": {"start": ""}},
}


def write(folder: Path, name: str, **settings: Any) -> Path:
    """Write an experiment: what is not said is as in `BASE`."""
    merged = {"name": name, **BASE}
    for key, value in settings.items():
        # Instructions are replaced, because the first language is the session's.
        base = None if key == "instructions" else merged.get(key)
        merged[key] = {**base, **value} if isinstance(base, dict) and isinstance(value, dict) else value
    file = folder / f"{name}.yaml"
    # JSON is YAML, too.
    file.write_text(json.dumps(merged))
    return file


def wrong(answers: Sequence[str], correct: str) -> str:
    """Return an answer that is not correct."""
    return next(answer for answer in answers if answer != correct)
