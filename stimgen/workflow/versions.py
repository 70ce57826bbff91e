"""Reads the versions of the software that a session or an archived study uses."""

from __future__ import annotations

import platform
import re
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

RECORDED_PACKAGES = ("stimgen", "numpy", "pillow", "psychopy", "questplus")


def read_versions() -> dict[str, str]:
    """Return the versions of the system, Python and the packages that matter."""
    found = {"system": _describe_system(), "python": platform.python_version()}
    for package in RECORDED_PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _describe_system() -> str:
    """Return the operating system and its version number, without suffixes added by vendors or labs."""
    number = re.match(r"[0-9.]*", platform.release())
    return f"{platform.system()} {number[0] if number else ''}".strip()
