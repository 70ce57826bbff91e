"""Finds devices, and makes each compute reproducibly."""

from __future__ import annotations

import ctypes
import platform
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path

import torch

from stimgen.execution.determinism import compute_deterministically
from stimgen.execution.device_errors import explain_device_errors
from stimgen.reading.errors import StimgenError

PROCESSORS = Path("/proc/cpuinfo")

# Options of glibc's malloc.h, in bytes: how much may be unused at the end of the main thread's heap before it
# is given back; how much more than needed is taken for a heap, and kept at the end of another thread's, which
# has 64 MiB at the most; from which size on an allocation is a mapping of its own.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
MALLOC_SETTINGS = {M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 2**26, M_MMAP_THRESHOLD: 2**30}


def find_device(name: str) -> torch.device:
    """Return the device of a name.

    Raises `StimgenError` if there is no such device here.

    Parameters
    ----------
    name : str
        ``auto`` (CUDA where there is a GPU, else the CPU), ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
    """
    there = available_devices()
    if name == "auto":
        return torch.device("cuda:0" if "cuda:0" in there else "cpu")
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in there:
        known = re.fullmatch(r"cpu|cuda(:\d+)?|mps", name)
        message = f"there is no device {name!r} here" if known else f"{name!r} is not a device"
        raise StimgenError(message, given=None if known else name, allowed=["auto", *there])
    return torch.device(wanted)


def available_devices() -> list[str]:
    """Return the names of all devices here."""
    devices = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    return [*devices, "mps"] if torch.backends.mps.is_available() else devices


def device_name(device: torch.device) -> str:
    """Return a device's name and, of a GPU, its model, for records."""
    if device.type == "cuda":
        return f"{device}: {torch.cuda.get_device_name(device)}"
    return str(device)


def processor_name() -> str:
    """Return the processor's model and the instructions that torch uses of it, for records."""
    return f"{processor_model()}, {torch.backends.cpu.get_cpu_capability()}"


@cache
def processor_model() -> str:
    """Return the processor's model."""
    if PROCESSORS.exists():
        for line in PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@cache
def keep_freed_memory() -> bool:
    """Let this process keep what tensors free, and return whether its allocator, glibc's, does so.

    Each evaluation frees and allocates the same feature maps. As mappings of their own they would cost a page
    fault for every 4 KiB: 43 % of the time of a worker of ``dask worker``, which sets
    ``MALLOC_TRIM_THRESHOLD_`` to 64 KiB, and 5 % of another process's (docs/performance.md).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library, such as musl
        return False
    return all(mallopt(name, size) == 1 for name, size in MALLOC_SETTINGS.items())


@contextmanager
def reproducible_computation(device: torch.device) -> Iterator[None]:
    """Let a GPU compute deterministically and without TF32, and a CPU keep freed memory.

    Raises `StimgenError` where the device cannot compute what is asked for.
    """
    if device.type != "cuda":
        keep_freed_memory()
    on_cuda = compute_deterministically() if device.type == "cuda" else nullcontext()
    with explain_device_errors(device), on_cuda:
        yield
