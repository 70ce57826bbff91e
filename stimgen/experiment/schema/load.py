"""Loads experiments from files: the user's own, or shipped ones by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from stimgen.experiment.schema.schema import Experiment
from stimgen.reading.document import Document, read_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.reading.model import validate
from stimgen.reading.shipped import EXPERIMENTS


@dataclass(frozen=True)
class LoadedExperiment:
    """Holds an experiment together with the file that it was read from."""

    document: Document
    """The file, with line numbers."""
    experiment: Experiment

    @property
    def folder(self) -> Path:
        """Return the folder that the experiment's relative paths start from."""
        return self.document.file.parent

    @contextmanager
    def at(self, *path: str | int) -> Iterator[None]:
        """Add the file and line of a value to errors that are raised inside without a location."""
        try:
            yield
        except StimgenError as error:
            raise error.add_location(self.document.where(path)) from None

    @cached_property
    def sha256(self) -> str:
        """Return the SHA-256 of the file's text."""
        return sha256_bytes(self.document.text.encode("utf-8"))


def load_experiment(name_or_file: str | Path) -> LoadedExperiment:
    """Return an experiment from a YAML file, or a shipped one by its name, such as ``quickstart``.

    An experiment that does not exist or is not valid raises a `StimgenError` with file and line.
    """
    return parse_experiment(read_document(EXPERIMENTS.find(name_or_file)))


def parse_experiment(document: Document) -> LoadedExperiment:
    """Return the experiment that a document describes, or raise a `StimgenError` with file and line."""
    if not isinstance(document.data, dict):
        raise StimgenError("an experiment must be a mapping of keys to values", where=document.where(()))
    return LoadedExperiment(document, validate(Experiment, document.data, document))
