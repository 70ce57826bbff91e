"""Finds the pictures that were shown in their sets, compares them with their hashes, and copies them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from stimgen.experiment.design.trial import ShownPicture
from stimgen.export.sessions import JournalSession
from stimgen.reading.atomic import write_atomically
from stimgen.reading.document import parse_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.store import Store


class ShownPictures:
    """Copies pictures that were shown out of their sets.

    Parameters
    ----------
    named : sequence of Path
        Folders of sets. If there are none, the sets that the experiments name are looked for in `places`.
    places : sequence of Path
        Folders in which experiments may have been run.
    """

    def __init__(self, named: Sequence[Path] = (), places: Sequence[Path] = ()) -> None:
        self._stores = [Store.open(folder) for folder in named]
        self._places = tuple(dict.fromkeys(place.resolve() for place in places))
        self._names: dict[tuple[str, str], str] = {}

    def copy(self, shown: ShownPicture, session: JournalSession, folder: Path) -> str:
        """Copy a picture, unless that is done already, and return its name relative to `folder`.

        The name is that in the set, with a part of the hash if another picture has the name already. Raises
        `StimgenError` where the picture is in none of the sets, or has changed.
        """
        key = (shown.file, shown.sha256)
        if key not in self._names:
            name = PurePosixPath(_check_name(shown.file))
            if str(name) in self._names.values():
                name = name.with_stem(f"{name.stem}_{shown.sha256[:8]}")
            data = self._read(shown, session)
            with write_atomically(folder / name) as stream:
                stream.write(data)
            self._names[key] = str(name)
        return self._names[key]

    def _read(self, shown: ShownPicture, session: JournalSession) -> bytes:
        stores = self._stores or list(self._find_stores(session))
        others = []
        for store in stores:
            if store.has(shown.file):
                data = store.read(shown.file)
                if sha256_bytes(data) == shown.sha256:
                    return data
                others.append(store.folder / shown.file)
        if others:
            raise StimgenError("is not the picture that was shown: its hash differs", where=others[0])
        where = f"in {', '.join(str(store.folder) for store in stores)}" if stores else "to be found"
        sets = session.header.sets
        name = sets[shown.set].name if 0 <= shown.set < len(sets) else "?"
        raise StimgenError(
            f"the picture {shown.file}, which participant {session.participant.label} saw, is not {where}",
            hint=f"name the folder of the stimulus set {name!r} with --stimuli; "
            "tables without pictures: --format csv",
        )

    def _find_stores(self, session: JournalSession) -> Iterator[Store]:
        for name in _list_set_names(session):
            for place in self._places:
                folder = place / name
                if (folder / "plan.json").is_file():
                    yield Store(folder)


def _check_name(name: str) -> str:
    """Return a name that stays inside a folder; a journal may come from somebody else."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
        raise StimgenError(f"{name!r} is not the name of a picture in a set")
    return name


def _list_set_names(session: JournalSession) -> list[str]:
    """Return the names of the sets in the experiment's text, and the names of their folders."""
    experiment = session.header.experiment
    data: Any = parse_document(experiment.text, Path(experiment.file)).data
    stimuli = data.get("stimuli") if isinstance(data, dict) else None
    said = stimuli.get("sets", []) if isinstance(stimuli, dict) else []
    names = said if isinstance(said, list) else [said]
    return list(dict.fromkeys([*map(str, names), *(used.name for used in session.header.sets)]))
