"""An experiment with a set written by hand: oddity in three places, ready to be run."""

from __future__ import annotations

from pathlib import Path

from hand_made import Wanted, write_set

from stimgen.stimulus_set.store import Store

EXPERIMENT = """\
name: e
stimuli:
  sets: [set]
  conditions: [fine, coarse]
  sources: [brick, coffee]
  seeds: [1, 3]
  meet: original-synthesis
  crop: {size: 8}
paradigm:
  name: oddity
  angles: [90, 210, 330]
  eccentricity: 4
  oddball: original
schedule:
  name: constant
  repetitions: 3
display:
  resolution: [400, 300]
  pixels_per_degree: 20
  refresh_hz: 60
timing:
  fixation: 500 ms
  stimulus: 200 ms
responses:
  keys: {"1": up, "2": left, "3": right}
practice:
  trials: 2
  sources: [gravel]
instructions:
  en: {start: hello}
  de: {start: hallo}
"""

SOURCES, CONDITIONS, SEEDS = ("brick", "coffee", "gravel"), ("fine", "coarse"), (1, 3, 5)
WIDTH, HEIGHT = 32, 24


def write_experiment(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write the experiment, in which some pieces of text are replaced, and return its file."""
    text = EXPERIMENT
    for old, new in changes:
        assert text.count(old) == 1, f"the test replaces one place: {old}"
        text = text.replace(old, new)
    file = folder / "e.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def write_its_set(folder: Path, unfinished: int = 0) -> Store:
    """Write the set that the experiment names into a folder; all of its stimuli have converged."""
    wanted = Wanted(SOURCES, CONDITIONS, SEEDS, (WIDTH, HEIGHT), array=False)
    return write_set(folder / "set", wanted, unfinished)
