"""Describes the machine that figures were measured on."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib import metadata
from typing import Any

import torch

from stimgen.execution.device import device_name, processor_model

PACKAGES = ("stimgen", "torch", "torchvision", "numpy", "plenoptic")


def describe_machine(device: torch.device) -> dict[str, Any]:
    """Return processor, cores, memory, device, threads and versions, but no name of a computer or a user."""
    return {
        "device": device_name(device),
        "processor": processor_model(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "memory": _memory(),
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version()} | _versions(),
    }


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not on every system
        return None


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found
