"""Experiments from files: the user's own, or shipped ones by name."""

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
    """An experiment with the file that it was read from.

    Attributes
    ----------
    document : Document
        The file, with line numbers.
    experiment : Experiment
        What it says.
    """

    document: Document
    experiment: Experiment

    @property
    def folder(self) -> Path:
        """The folder that the experiment's paths start from."""
        return self.document.file.parent

    @contextmanager
    def at(self, *path: str | int) -> Iterator[None]:
        """Name the place of a value in the file in errors that are raised inside and name none."""
        try:
            yield
        except StimgenError as error:
            raise error.add_location(self.document.where(path)) from None

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file's text."""
        return sha256_bytes(self.document.text.encode("utf-8"))


def load_experiment(name_or_file: str | Path) -> LoadedExperiment:
    """Return an experiment.

    Parameters
    ----------
    name_or_file : str or Path
        A YAML file, or the name of a shipped experiment, such as ``quickstart``.

    Raises
    ------
    StimgenError
        There is no such experiment, or what it says cannot be accepted; with file and line.
    """
    return parse_experiment(read_document(EXPERIMENTS.find(name_or_file)))


def parse_experiment(document: Document) -> LoadedExperiment:
    """Return the experiment that a document describes.

    Raises
    ------
    StimgenError
        What it says cannot be accepted; with file and line.
    """
    if not isinstance(document.data, dict):
        raise StimgenError("an experiment is a mapping of keys to values", where=document.where(()))
    return LoadedExperiment(document, validate(Experiment, document.data, document))
