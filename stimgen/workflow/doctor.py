"""What is here: versions, devices, weights, places. Offline, and safe to show to anybody."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

import torch

from stimgen.execution.device import available_devices, device_name
from stimgen.networks.weights.imagenet import PINNED, cached_file

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


def examine() -> dict[str, dict[str, str]]:
    """Return headed lists of findings; no names of users, hosts or private folders."""
    return {
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "system": {
            "system": f"{platform.system()} {platform.machine()}",
            "threads": str(torch.get_num_threads()),
        },
        "devices": {name: device_name(torch.device(name)) for name in available_devices()},
        "weights": {"random": "always there"}
        | {f"imagenet {network}": _weights(network) for network in PINNED},
        "places": {
            "current folder": _writable(Path.cwd()),
            "weights' cache": _writable(Path(torch.hub.get_dir())),
        },
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _weights(network: str) -> str:
    file = cached_file(network)
    return "there (its hash is checked when it is used)" if file.exists() else f"not there ({_private(file)})"


def _writable(folder: Path) -> str:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return "writable" if os.access(folder, os.W_OK) else "not writable"


def _private(file: Path) -> str:
    """Return a path without what stands before the user's home or the cache."""
    try:
        return "~/" + file.relative_to(Path.home()).as_posix()
    except ValueError:
        return f".../{file.parent.name}/{file.name}"
