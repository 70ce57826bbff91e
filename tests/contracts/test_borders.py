"""Borders that the import linter cannot see: what an import really loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "pandas", "matplotlib", "psychopy", "dask", "skimage")


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


LIGHT = (
    "import stimgen, stimgen.cli.main",
    "from stimgen import StimulusSet, StimgenError",
    "import stimgen.stimulus_set.verify, stimgen.stimulus_set.index",
    "import stimgen.workflow.confounds",
    "import stimgen.images.read, stimgen.images.write",
    "import stimgen.analysis.results, stimgen.workflow.analyze, stimgen.sensitivity",
)


def test_what_loads_nothing_heavy() -> None:
    # Together: what all of them load, none of them loads.
    assert loaded_by("; ".join(LIGHT)) == set()


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        (
            "import pathlib, stimgen.analysis.read as r, stimgen.analysis.results as a;"
            "from stimgen.analysis.settings import AnalysisSettings as Settings;"
            "t = r.read_trials([pathlib.Path('tests/made_before/data/oddity')]);"
            "dict(a.compute_results(t, Settings(resamples=100)))",
            {"pandas"},
        ),
        ("import stimgen.protocol.plan, stimgen.networks.vgg19", {"torch"}),
    ],
)
def test_an_import_loads_no_more_than_it_needs(statement: str, allowed: set[str]) -> None:
    assert loaded_by(statement) <= allowed
