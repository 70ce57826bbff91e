"""Writes all files of a set into one archive, for repositories that want one file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from typing_extensions import override

from stimgen.export.archive import create_archive
from stimgen.export.deposit import DATACITE, ZENODO, describe_for_datacite, describe_for_zenodo
from stimgen.export.sets.base import Exporter
from stimgen.export.sets.contents import SetContents
from stimgen.stimulus_set.store import json_bytes


class Zip(Exporter):
    """Writes one archive for a repository: the same set gives the same bytes, with all checksums."""

    name: Literal["zip"] = "zip"

    @override
    def write(self, contents: SetContents, target: Path) -> None:
        beside = {
            ZENODO: json_bytes(describe_for_zenodo(contents)),
            DATACITE: json_bytes(describe_for_datacite(contents)),
        }
        with create_archive(target, contents.name, beside) as add:
            for entry in contents.entries:
                add(entry.name, contents.read(entry.name, entry.sha256))
