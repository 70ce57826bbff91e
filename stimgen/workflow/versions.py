"""What a session or a frozen study was made with."""

from __future__ import annotations

import platform
import re
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

RECORDED_PACKAGES = ("stimgen", "numpy", "pillow", "psychopy", "questplus")


def read_versions() -> dict[str, str]:
    """Return the versions of what a session runs with."""
    found = {"system": _describe_system(), "python": platform.python_version()}
    for package in RECORDED_PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _describe_system() -> str:
    """Return the operating system and its version, without what its maker or the lab added to that."""
    number = re.match(r"[0-9.]*", platform.release())
    return f"{platform.system()} {number[0] if number else ''}".strip()
