"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

# As the command line does: cores may be shared with processes that tests start.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    # Set before torch is imported: with all threads in every worker, tests would wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))

# Half of Hypothesis's own number of examples: tests that need more say so.
settings.register_profile("default", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture
def shared() -> Path:
    """The folder with trained weights and published data that lies beside some checkouts."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("no shared: the folder with weights and published data is not beside the checkout")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """Let nothing wait for the disk, which would matter only if a test cut the power.

    That files are pushed to the disk, in order, is tested with an `fsync` that takes notes or fails.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
# Nothing else may be skipped where display, browser and packages are supplied.
ACCEPTED_SKIPS = ("Skipped: no GPU", "Skipped: no shared")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, take any other skip for a failure."""
    return refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI, take the skip of a whole file for a failure."""
    return refuse_skip((yield))


def refuse_skip(report: Report) -> Report:
    """Return the report, in CI as a failure if its skip has another reason."""
    if os.environ.get("CI") and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if not reason.startswith(ACCEPTED_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"skipped, which CI does not accept: {reason}"
    return report
