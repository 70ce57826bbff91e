"""A disk that fails, or a process that dies, at the step that a test wants."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


class Died(BaseException):
    """The process is dead: not even what cleans up can do anything more."""


class Disk:
    """Steps that change a set's folder, of which one fails.

    Parameters
    ----------
    folder : Path
        Only what lies in it counts.
    fail_at : int
        The step that fails, from 0; -1: none.
    dies : bool
        Die with that step, which may be half done, rather than be told of a full disk.
    """

    def __init__(self, folder: Path, fail_at: int, *, dies: bool = False) -> None:
        self._folder = folder.resolve()
        self.fail_at, self._dies = fail_at, dies
        self.steps: list[str] = []

    def step(self, what: str) -> bool:
        """Count a step; return whether it is the one that fails."""
        if self._dies and self.has_failed:
            raise Died
        self.steps.append(what)
        return len(self.steps) - 1 == self.fail_at

    @property
    def has_failed(self) -> bool:
        return len(self.steps) > self.fail_at >= 0

    def pass_or_fail(self, what: str) -> None:
        """Count a step that fails without having done anything."""
        if self.step(what):
            self.fail()

    def fail(self) -> None:
        if self._dies:
            raise Died
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def counts(self, file: Any) -> bool:
        return isinstance(file, Path) and file.resolve().is_relative_to(self._folder)


class ShortFile(io.FileIO):
    """A file whose first write takes only half of the bytes, and one of whose writes fails."""

    def __init__(self, file: Path, disk: Disk) -> None:
        super().__init__(file, "xb")
        self._disk = disk

    def write(self, data: Any) -> int:
        some = bytes(data) if self.tell() else bytes(memoryview(data)[: (len(data) + 1) // 2])
        if self._disk.step("write"):
            super().write(some[: len(some) // 2])
            self._disk.fail()
        return super().write(some) or 0


@contextmanager
def failing(disk: Disk) -> Iterator[None]:
    """Let a disk's step fail; nothing waits for a real disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", opening(disk))
        patch.setattr(os, "fsync", syncing(disk))
        for name in ("replace", "unlink", "mkdir", "rmdir"):
            patch.setattr(Path, name, stepping(disk, name))
        yield


def opening(disk: Disk) -> Callable[..., Any]:
    real = Path.open

    def open_file(file: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if mode != "xb" or not disk.counts(file):
            return real(file, mode, *arguments, **options)
        disk.pass_or_fail("open")
        return io.BufferedWriter(ShortFile(file, disk))

    return open_file


def syncing(disk: Disk) -> Callable[[int], None]:
    def sync(descriptor: int) -> None:
        disk.pass_or_fail("sync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync")

    return sync


def stepping(disk: Disk, name: str) -> Callable[..., Any]:
    real = getattr(Path, name)

    def step(file: Path, *arguments: Any, **options: Any) -> Any:
        if disk.counts(file):
            disk.pass_or_fail(name)
        return real(file, *arguments, **options)

    return step
