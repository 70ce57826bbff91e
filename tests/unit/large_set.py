"""Time what is done to a whole set, on a simulated one of as many stimuli as are asked for.

``PYTHONPATH=tests python tests/unit/large_set.py N`` writes a set of N tiny stimuli by hand, and prints
how long each step takes and the most memory that this process has held so far. 100,000 need 2 GB of disk.
A folder, where one is named after N, keeps set and page.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from test_index import Place, written

from stimgen.execution.missing import find_missing
from stimgen.stimulus_set import StimulusSet
from stimgen.stimulus_set.index import SetIndex
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.report import write_report


@contextmanager
def timed(what: str) -> Iterator[None]:
    began, cpu = time.monotonic(), time.process_time()
    yield
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, own = time.monotonic() - began, time.process_time() - cpu
    sys.stdout.write(f"{what:34s} {wall:8.2f} s, {own:8.2f} s of this process, at most {most:5.0f} MiB\n")
    sys.stdout.flush()


def main() -> None:
    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="large-") as passing:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(passing)
        with timed(f"written by hand, {count:,}"):
            place = written(folder, seeds=count // 2)
        measure(place)


def measure(place: Place) -> None:
    with timed("planned"):
        plan = place.plan
    with timed("first run: manifest, table, ..."):
        place.make()
    with timed("listed, as `generate` does"):
        assert find_missing(plan, place.store, SetIndex(place.store)).unchanged
    with timed("verified"):
        assert verify_set(place.store).problems == []
    with timed("page written"):
        write_report(place.store.folder)
    with timed("tabulated: StimulusSet(...).table"):
        assert len(StimulusSet(place.store.folder).table)


if __name__ == "__main__":
    main()
