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
        if self._dies and self.failed:
            raise Died
        self.steps.append(what)
        return len(self.steps) - 1 == self.fail_at

    @property
    def failed(self) -> bool:
        return len(self.steps) > self.fail_at >= 0

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
    opened = Path.open

    def open_file(file: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if mode != "xb" or not disk.counts(file):
            return opened(file, mode, *arguments, **options)
        if disk.step("open"):
            disk.fail()
        return io.BufferedWriter(ShortFile(file, disk))

    def sync(descriptor: int) -> None:
        if disk.step("sync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync"):
            disk.fail()

    def spoil(name: str) -> Callable[..., Any]:
        real = getattr(Path, name)

        def step(file: Path, *arguments: Any, **options: Any) -> Any:
            if disk.counts(file) and disk.step(name):
                disk.fail()
            return real(file, *arguments, **options)

        return step

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", open_file)
        patch.setattr(os, "fsync", sync)
        for name in ("replace", "unlink", "mkdir", "rmdir"):
            patch.setattr(Path, name, spoil(name))
        yield
