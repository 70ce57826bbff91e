"""Loads protocols from files: the user's own, or shipped ones by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field

from stimgen.images.steps import Steps
from stimgen.networks import AnyNetwork
from stimgen.networks.vgg19 import Vgg19
from stimgen.protocol.defaults import INHERITED
from stimgen.protocol.schema import Protocol, SharedPreparation
from stimgen.reading.document import Document, KeyPath, read_document
from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.reading.model import Model, validate
from stimgen.reading.shipped import PROTOCOLS
from stimgen.statistics import AnyStatistic
from stimgen.statistics.gram import Gram
from stimgen.statistics.regions import AnyRegions
from stimgen.statistics.regions.grid import Grid
from stimgen.synthesis.settings import SynthesisSettings


@dataclass(frozen=True)
class LoadedProtocol:
    """Holds a protocol with the file that it was read from."""

    document: Document  # with line numbers
    protocol: Protocol
    changes: tuple[str, ...] = ()  # made to the file's settings, to try the protocol quickly

    @property
    def folder(self) -> Path:
        """Return the folder that the protocol's paths start from."""
        return self.document.file.parent

    @cached_property
    def sha256(self) -> str:
        """Return the SHA-256 of the file's text."""
        return sha256_bytes(self.document.text.encode("utf-8"))

    def where(self, condition: int, *path: str) -> Location:
        """Return where a setting of a condition is written: in it, or where it is inherited from."""
        own: KeyPath = ("conditions", condition, *path)
        return self.document.where(own if own in self.document.lines else path)


class _InheritedSettings(Model):
    """Checks the settings that conditions and sources inherit, where they are written."""

    network: AnyNetwork = Field(default_factory=Vgg19)
    statistic: AnyStatistic = Field(default_factory=Gram)
    regions: AnyRegions = Field(default_factory=Grid)
    synthesis: SynthesisSettings = Field(default_factory=SynthesisSettings)
    after: Steps = ()
    preparation: SharedPreparation = Field(default_factory=SharedPreparation)


def load_protocol(name_or_file: str | Path) -> LoadedProtocol:
    """Return a protocol.

    Parameters
    ----------
    name_or_file : str or Path
        A YAML file, or the name of a shipped protocol, such as ``quickstart``.

    Raises
    ------
    StimgenError
        There is no such protocol, or a mistake in it; with file and line.
    """
    return parse_protocol(read_document(PROTOCOLS.find(name_or_file)))


def parse_protocol(document: Document) -> LoadedProtocol:
    """Return the protocol in a document; raise `StimgenError`, with file and line, for a mistake in it."""
    if not isinstance(document.data, dict):
        raise StimgenError("a protocol is a mapping of keys to values", where=document.where(()))
    context = {"folder": document.file.parent.resolve()}
    inherited: dict[str, Any] = {
        key: document.data[key] for key in (*INHERITED, "preparation") if key in document.data
    }
    # Checked alone first, so that a mistake is reported once, and not for every condition that inherits it.
    validate(_InheritedSettings, inherited, document, context)
    return LoadedProtocol(document, validate(Protocol, document.data, document, context))
