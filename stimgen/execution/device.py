"""Devices: which there are, and how each keeps its promises."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

from stimgen.execution.allocation import keep_freed_memory
from stimgen.reading.errors import StimgenError

# One image alone is summed in another order than two.
MIN_SLOTS = 2
# On a CPU an image's bits do not depend on how many share its batch, and two at a time are the fastest: at
# 256 pixels four took a quarter more for each (docs/performance.md). Elsewhere bits may depend on it, so that
# all batches have the same number of slots.
CPU_SLOTS = MIN_SLOTS
GPU_SLOTS = 16
PROCESSORS = Path("/proc/cpuinfo")


def find_device(name: str) -> torch.device:
    """Return a device that is there.

    Parameters
    ----------
    name : str
        ``auto`` (CUDA where there is a GPU, else the CPU), ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises
    ------
    StimgenError
        No such device here.
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
    """Return what a device is called by its maker, for records."""
    if device.type == "cuda":
        return f"{device}: {torch.cuda.get_device_name(device)}"
    return str(device)


def processor_name() -> str:
    """Return the processor's model and the instructions that torch uses of it, for records."""
    return f"{processor_model()}, {torch.backends.cpu.get_cpu_capability()}"


@cache
def processor_model() -> str:
    """Return what the processor is called by its maker."""
    if PROCESSORS.exists():
        for line in PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def default_batch_size(device: torch.device) -> int:
    """Return how many stimuli are made together where the user does not say."""
    return CPU_SLOTS if device.type == "cpu" else GPU_SLOTS


@contextmanager
def reproducible_computation(device: torch.device) -> Iterator[None]:
    """Let a device give the same bits at every run, in float32 proper, and a processor keep its memory."""
    if device.type != "cuda":
        keep_freed_memory()
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield
