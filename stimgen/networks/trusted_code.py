"""Runs a user's own Python file, once the user has said that its code may run."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from stimgen.reading.errors import StimgenError
from stimgen.reading.files import MEGABYTE, read_limited
from stimgen.reading.identity import sha256_bytes

LARGEST_CODE = 4 * MEGABYTE

# What the user of this process trusts, by the hash of the code: a file that changes is trusted no more.
_trusted: set[str] = set()
_modules: dict[str, ModuleType] = {}


def trust(*files: str | Path) -> None:
    """Allow protocols of this process to run the code of these files, as they are now.

    Protocols name such a file with ``network: {name: module, file: FILE, class: CLASS}``. Its code can do
    whatever you can do: trust only what you have read, or whose authors you know. A file that changes
    afterwards is not trusted any more.

    Parameters
    ----------
    *files : str or Path
        Python files.

    Raises
    ------
    StimgenError
        A file is missing or cannot be read.

    Examples
    --------
    >>> import stimgen
    >>> stimgen.trust("mynet.py")  # doctest: +SKIP
    """
    for file in files:
        _trusted.add(read_code(Path(file)).sha256)


def trust_hashes(hashes: Iterable[str]) -> None:
    """Trust code of these hashes: on a worker, those that the user who began the run trusts."""
    _trusted.update(hashes)


def list_trusted() -> tuple[str, ...]:
    """Return the hashes of all trusted code."""
    return tuple(sorted(_trusted))


@dataclass(frozen=True)
class CodeFile:
    """Holds the bytes of a Python file: what is hashed is what runs."""

    file: Path
    data: bytes

    @cached_property
    def sha256(self) -> str:
        """Return the hash of the bytes."""
        return sha256_bytes(self.data)

    @property
    def is_trusted(self) -> bool:
        """Return whether the code may run."""
        return self.sha256 in _trusted

    def refuse_untrusted(self) -> None:
        """Raise `StimgenError` if the code may not run."""
        if not self.is_trusted:
            raise StimgenError(
                f"{self.file.name} is Python code, which can do what you can do: it does not run unasked",
                hint=f"read it; if you trust it, add to the command: --trust {self.file} (from Python: "
                f"stimgen.trust({str(self.file)!r}) before the protocol is loaded)",
            )

    def build_model(self, name: str) -> nn.Module:
        """Return an instance of a class of the file, in evaluation mode, made without arguments.

        Random numbers that it draws are those of torch's generator with the seed 0, which is then as before.

        Raises `StimgenError` if the code may not run, fails, or has no such class.
        """
        self.refuse_untrusted()
        if self.sha256 not in _modules:
            _modules[self.sha256] = self._run()
        cls = vars(_modules[self.sha256]).get(name)
        if not (isinstance(cls, type) and issubclass(cls, nn.Module)):
            classes = [
                key
                for key, value in vars(_modules[self.sha256]).items()
                if isinstance(value, type) and issubclass(value, nn.Module)
            ]
            message = f"{self.file.name} has no class {name!r} that is a torch.nn.Module"
            raise StimgenError(message, given=name, allowed=classes)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            try:
                return cls().eval().requires_grad_(False)
            except Exception as error:  # whatever the user's code raises
                raise self.describe_error(error, f"{name}() failed") from error

    def describe_error(self, error: Exception, what: str) -> StimgenError:
        """Return an error of the code with the line of the file that it comes from."""
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if self._is_own(frame.filename)
        ]
        if isinstance(error, SyntaxError) and error.filename is not None and self._is_own(error.filename):
            lines = [error.lineno]
        place = f"{self.file}:{lines[-1]}" if lines else str(self.file)
        reason = f"{type(error).__name__}: {error}".split("\n", 1)[0]
        return StimgenError(f"{what} at {place}: {reason}")

    def _is_own(self, name: str) -> bool:
        return name == str(self.file)

    def _run(self) -> ModuleType:
        module = ModuleType(f"stimgen_user_code_{self.sha256[:16]}")
        module.__file__ = str(self.file)
        try:
            exec(compile(self.data, str(self.file), "exec"), vars(module))  # noqa: S102 - the user trusts it
        except Exception as error:  # whatever the user's code raises
            raise self.describe_error(error, "the code cannot be imported: it failed") from error
        return module


def read_code(file: Path) -> CodeFile:
    """Return a Python file; raise `StimgenError` if it is missing, unreadable or larger than 4 MB."""
    return CodeFile(file.absolute(), read_limited(file, LARGEST_CODE, "Python file"))
