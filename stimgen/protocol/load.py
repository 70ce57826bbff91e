"""Loads protocols from files: the user's own, or shipped ones by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import create_model

from stimgen.protocol.defaults import INHERITED
from stimgen.protocol.schema import Protocol
from stimgen.reading.document import Document, KeyPath, read_document
from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.reading.model import Model, validate
from stimgen.reading.shipped import PROTOCOLS

INHERITED_KEYS = (*INHERITED, "preparation")


@dataclass(frozen=True)
class LoadedProtocol:
    """Holds a protocol with the file that it was read from."""

    document: Document  # with line numbers
    protocol: Protocol
    changes: tuple[str, ...] = ()  # made to the file's settings, to try the protocol quickly
    substitution: dict[str, Any] | None = None  # another network or weights, as plans record it

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


# Checked alone first, so that a mistake is reported once, and not for every condition that inherits it.
_fields: Any = {
    key: (Protocol.model_fields[key].annotation, Protocol.model_fields[key]) for key in INHERITED_KEYS
}
_InheritedSettings = create_model("_InheritedSettings", __base__=Model, **_fields)


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
    inherited = {key: document.data[key] for key in INHERITED_KEYS if key in document.data}
    validate(_InheritedSettings, inherited, document, context)
    return LoadedProtocol(document, validate(Protocol, document.data, document, context))
