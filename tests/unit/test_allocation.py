"""What tensors free is kept, also by workers that Dask starts with another setting."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from stimgen.execution.device import keep_freed_memory

pytestmark = pytest.mark.skipif(
    not keep_freed_memory(), reason="another C library than glibc: its allocator is left as it is"
)

# What a Dask nanny tells its workers.
NANNY = {"MALLOC_TRIM_THRESHOLD_": "65536", "OMP_NUM_THREADS": "1"}
PROGRAM = """
import resource, sys, threading, torch
from stimgen.execution.device import reproducible_computation

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def rounds():
    for _ in range(20):  # until small remainders have filled their bins
        torch.ones(2**21)
    before = faults()
    for _ in range(10):
        torch.ones(2**21)
    print(faults() - before)

def both():
    rounds()
    with reproducible_computation(torch.device("cpu")):
        rounds()

thread = threading.Thread(target=both)  # as workers compute
thread.start()
thread.join()
"""


def test_memory_is_asked_for_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=os.environ | NANNY, capture_output=True, text=True, check=True
    )
    before, after = map(int, done.stdout.split())
    assert before >= 10  # huge pages are one fault each
    assert after < before / 5
