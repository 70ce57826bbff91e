"""Lists versions, devices, weights and folders, offline and without private information."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

import torch

from stimgen.execution.device import available_devices, device_name
from stimgen.networks.weights.imagenet import PINNED, find_cache_path

PACKAGES = (
    "stimgen",
    "torch",
    "torchvision",
    "numpy",
    "pillow",
    "pandas",
    "scikit-image",
    "scipy",
    "pydantic",
    "psychopy",
)


def examine_installation() -> dict[str, dict[str, str]]:
    """Return findings by section, without names of users, computers or private folders."""
    return {
        "versions": {"python": platform.python_version()} | {name: _find_version(name) for name in PACKAGES},
        "system": {
            "system": f"{platform.system()} {platform.machine()}",
            "threads": str(torch.get_num_threads()),
        },
        "devices": {name: device_name(torch.device(name)) for name in available_devices()},
        "weights": {"random": "always available"}
        | {f"imagenet {network}": _describe_weights(network) for network in PINNED},
        "places": {
            "current folder": _describe_access(Path.cwd()),
            "weights' cache": _describe_access(Path(torch.hub.get_dir())),
        },
    }


def _find_version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _describe_weights(network: str) -> str:
    file = find_cache_path(network)
    if file.exists():
        return "downloaded (its hash is checked when it is used)"
    return f"not downloaded ({_shorten_path(file)})"


def _describe_access(folder: Path) -> str:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return "writable" if os.access(folder, os.W_OK) else "not writable"


def _shorten_path(file: Path) -> str:
    """Return a path without the part that leads to the user's home or to the cache."""
    try:
        return "~/" + file.relative_to(Path.home()).as_posix()
    except ValueError:
        return f".../{file.parent.name}/{file.name}"
