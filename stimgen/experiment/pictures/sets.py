"""The stimulus sets of an experiment: found, and finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.reading.shipped import PROTOCOLS
from stimgen.stimulus_set.listing import file_state
from stimgen.stimulus_set.store import PLAN, Store


@dataclass(frozen=True)
class SetReference:
    """A stimulus set as the journal names it.

    Attributes
    ----------
    name : str
        The folder's own name, without its path.
    protocol : str
        File name of the protocol that it was made from.
    plan_sha256 : str
        Hash of the list of its stimuli.
    """

    name: str
    protocol: str
    plan_sha256: str

    @classmethod
    def of(cls, store: Store) -> SetReference:
        """Return how a set is named."""
        return cls(
            name=store.folder.resolve().name,
            protocol=str(store.read_plan().protocol.get("file", "")),
            plan_sha256=sha256_bytes(store.read(PLAN)),
        )


def open_sets(loaded: LoadedExperiment, folders: Sequence[Path] | None = None) -> tuple[Store, ...]:
    """Return the sets of an experiment, or others.

    Parameters
    ----------
    loaded : LoadedExperiment
        The experiment; a name in its ``stimuli.sets`` is a folder beside its file, or in the current folder.
    folders : sequence of Path, optional
        Sets, instead of those that the experiment names.

    Raises
    ------
    StimgenError
        There is no such set, or stimuli of it are still to be made.
    """
    names = loaded.experiment.stimuli.sets
    places = list(folders) if folders else [_find_set(i, name, loaded) for i, name in enumerate(names)]
    stores = tuple(Store.open(place) for place in places)
    for store in stores:
        _check_finished(store)
    return stores


def _find_set(number: int, name: str, loaded: LoadedExperiment) -> Path:
    for place in (loaded.folder / name, Path(name)):
        if file_state(place / PLAN) is not None:
            return place
    protocol = Path(name).name
    what = protocol if protocol in PROTOCOLS.files() else "PROTOCOL"
    raise StimgenError(
        f"there is no stimulus set {name!r}, neither beside the experiment nor in the current folder",
        where=loaded.document.where(("stimuli", "sets", number)),
        hint=f"make it with: stimgen generate {what} -o {name}; or name a set's folder with --stimuli",
    )


def _check_finished(store: Store) -> None:
    planned = store.read_plan().ids
    missing = len(set(planned) - store.list_finished())
    if missing or not planned:
        raise StimgenError(
            f"is not finished: {missing} of {len(planned)} stimuli are still to be made",
            where=store.folder,
            hint="go on with the stimgen generate that began it",
        )
