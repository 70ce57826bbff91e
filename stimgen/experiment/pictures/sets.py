"""Opens the stimulus sets of an experiment."""

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
    """Names a stimulus set in the journal."""

    name: str
    """Name of the folder, without its path."""
    protocol: str
    """File name of the protocol that the set was generated from."""
    plan_sha256: str
    """Hash of ``plan.json``, which lists the stimuli."""

    @classmethod
    def from_store(cls, store: Store) -> SetReference:
        """Return the reference to a set."""
        return cls(
            name=store.folder.resolve().name,
            protocol=str(store.read_plan().protocol.get("file", "")),
            plan_sha256=sha256_bytes(store.read(PLAN)),
        )


def open_sets(loaded: LoadedExperiment, folders: Sequence[Path] | None = None) -> tuple[Store, ...]:
    """Return the sets that the experiment names, or those in `folders` instead.

    Names in ``stimuli.sets`` are folders beside the experiment's file, or in the current folder. A missing or
    unfinished set raises a `StimgenError`.
    """
    names = loaded.experiment.stimuli.sets
    places = list(folders) if folders else [_find_set(i, name, loaded) for i, name in enumerate(names)]
    stores = tuple(Store.open(place) for place in places)
    for store in stores:
        planned = store.read_plan().ids
        missing = len(set(planned) - store.list_finished())
        if missing or not planned:
            raise StimgenError(
                f"is not finished: {missing} of {len(planned)} stimuli are missing",
                where=store.folder,
                hint="run the same stimgen generate command again to make them",
            )
    return stores


def _find_set(index: int, name: str, loaded: LoadedExperiment) -> Path:
    for place in (loaded.folder / name, Path(name)):
        if file_state(place / PLAN) is not None:
            return place
    protocol = Path(name).name if Path(name).name in PROTOCOLS.files() else "PROTOCOL"
    raise StimgenError(
        f"there is no stimulus set {name!r} beside the experiment or in the current folder",
        where=loaded.document.where(("stimuli", "sets", index)),
        hint=f"make it with: stimgen generate {protocol} -o {name}; or name another folder with --stimuli",
    )
