"""Defines what a run and its Dask workers tell each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Machine = dict[str, str]
"""The versions that a worker has, by package, and its ``host``, ``kind``, ``device`` and ``processor``."""


@dataclass(frozen=True)
class WorkerTask:
    """Tells a worker which batch to make, and all that it has to know of the run."""

    run: str
    """A name that no other run has; progress is reported under it."""
    required: Mapping[str, str]
    """What the worker must have: versions, and the ``kind`` of device."""
    device: str
    """The device to compute on, as `find_device` takes it."""
    text: str
    """The protocol."""
    file: str
    root: str | None
    quick: bool
    substitution: Mapping[str, Any] | None
    """Another network or weights, as plans record it."""
    plan_sha256: str
    """The worker must plan the same stimuli (see `hash_ids`)."""
    folder: str
    """The set's folder; the worker sees it if the lock of `part` has the content `holder`."""
    part: str
    holder: bytes
    batch_size: int | None
    trusted: tuple[str, ...] = ()
    """Hashes of the code that the user trusts."""
    ids: tuple[str, ...] = ()
    """The stimuli of this batch."""


@dataclass(frozen=True)
class BatchOutcome:
    """Tells a run what became of a batch."""

    worker: str
    machine: Machine
    needs_files: bool = False
    """Nothing was made: the worker does not see all files, as `problem` says."""
    sees_folder: bool = True
    failures: tuple[tuple[str, str], ...] = ()
    """The ids of stimuli that could not be made, each with the reason."""
    notices: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    """What was made, records last, where the worker does not see the set's folder."""
    problem: str = ""
    """An error that ends the run, unless files help; empty if there is none."""


def find_difference(machine: Machine, required: Mapping[str, str]) -> str:
    """Return what differs from the versions and the kind of device that are required; empty if nothing."""
    pairs = [(name, machine.get(name), value) for name, value in required.items()]
    return ", ".join(f"{name} {has} instead of {value}" for name, has, value in pairs if has != value)
