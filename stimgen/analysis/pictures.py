"""Finds the pictures of the stimuli that data are about, for figures."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image

from stimgen.analysis.figures.subject import MapPictures
from stimgen.analysis.trial_table import TrialTable
from stimgen.experiment.journal.data_folder import JOURNALS
from stimgen.experiment.journal.journal import read_header
from stimgen.experiment.pictures.sets import SetReference
from stimgen.images.write import open_png, to_srgb_image
from stimgen.reading.errors import StimgenError
from stimgen.report.pictures import read_checked
from stimgen.stimulus_set.record import FileHash
from stimgen.stimulus_set.store import PLAN, Store

SIDE = 96
"""Pixels of the longer side of a picture in a figure."""
MOST_PICTURES = 2000


def find_pictures(table: TrialTable, data: Sequence[Path], folders: Sequence[Path] = ()) -> MapPictures:
    """Return the photographs and stimuli of the sources and conditions of a table.

    Parameters
    ----------
    table : TrialTable
        The trials; sources and conditions are found in the sets by their names.
    data : sequence of Path
        Where the trials were read from. The sets that journals name are looked for in the current folder and
        beside the data, and taken if they are those that were shown.
    folders : sequence of Path
        Stimulus sets that the user names instead.

    Returns
    -------
    MapPictures
        Small copies; what is not found is left out.

    Raises
    ------
    StimgenError
        A set that the user names does not exist or is damaged.
    """
    if folders:
        return _read_sets(table, [Store.open(folder) for folder in folders])
    with suppress(StimgenError):
        # Nobody asked for these pictures, and results do not depend on them.
        return _read_sets(table, list(_find_sets(data)))
    return MapPictures()


def _find_sets(data: Sequence[Path]) -> Iterator[Store]:
    """Yield the sets that the first journal of each experiment names, if they are unchanged."""
    found: dict[str, None] = {}
    for place, reference in _list_references(data):
        for base in (Path(), *list(place.resolve().parents)[:4]):
            for folder in (base / reference.name, base / "sets" / reference.name):
                if reference.plan_sha256 not in found and (folder / PLAN).is_file():
                    store = Store.open(folder)
                    if SetReference.from_store(store).plan_sha256 == reference.plan_sha256:
                        found[reference.plan_sha256] = None
                        yield store


def _list_references(data: Sequence[Path]) -> Iterator[tuple[Path, SetReference]]:
    seen = set()
    for place in data:
        files: Iterable[Path] = [place] if place.suffix == ".jsonl" else []
        if place.is_dir():
            files = sorted((place / JOURNALS).glob("*.jsonl")) or sorted(place.glob("*.jsonl"))
        for file in files:
            header = read_header(file)
            if header is not None and header.experiment.sha256 not in seen:
                seen.add(header.experiment.sha256)
                yield from ((place, one) for one in header.sets)


def _read_sets(table: TrialTable, stores: Sequence[Store]) -> MapPictures:
    names, conditions = set(table.frame["source"]), set(table.frame["condition"])
    sources: dict[str, Any] = {}
    stimuli: dict[tuple[str, str], Any] = {}
    for store in stores:
        for record in store.read_records():
            content = record.content
            source, condition = content.source.id, content.condition
            if source not in names:
                continue
            if source not in sources:
                sources[source] = _read_picture(store, content.source.original)
            if condition in conditions and (source, condition) not in stimuli:
                stimuli[source, condition] = _read_picture(store, content.files[0])
            if len(stimuli) + len(sources) >= MOST_PICTURES:
                return MapPictures(sources, stimuli)
    return MapPictures(sources, stimuli)


def _read_picture(store: Store, file: FileHash) -> Any:
    """Return a small copy of a picture, after comparing its file with its hash."""
    with open_png(io.BytesIO(read_checked(store, file)), store.path(file.file)) as image:
        picture = to_srgb_image(image)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return picture
