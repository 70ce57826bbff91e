"""Reads the pictures of a set for matching, and describes the set that matching makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from pydantic import TypeAdapter

from stimgen.images.light import Encoding
from stimgen.images.matching import SetMatching
from stimgen.images.measures.comparison import SourceComparator
from stimgen.images.picture import MaskedPicture, ScreenSpec
from stimgen.images.sequence import apply_geometry
from stimgen.images.source_pipeline import BACKGROUND
from stimgen.images.steps import Steps
from stimgen.images.write import as_pixels, decode_png
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import digest, recipe_identity
from stimgen.reading.papers import resolve_papers
from stimgen.stimulus_set.citing.matching import MATCHED, cite_matching
from stimgen.stimulus_set.metadata import SetMetadata
from stimgen.stimulus_set.quality import build_quality_record
from stimgen.stimulus_set.record import FileHash, Record, RecordContent
from stimgen.stimulus_set.store import PLAN, PlanRecord, Store

LETTERS = 8  # of ids, in the names of files
NO_ID = "?"  # is in no name


def is_matched(store: Store) -> bool:
    """Return whether a set's pictures were matched after synthesis; a damaged plan does not say so."""
    try:
        return bool(store.read_plan().protocol.get(MATCHED))
    except StimgenError:
        return False


def refuse_matched(store: Store, what: str) -> None:
    """Refuse, by `StimgenError`, to do something with a set whose pictures were matched after synthesis."""
    if is_matched(store):
        raise StimgenError(
            f"its pictures were matched after synthesis, so that {what}",
            where=store.folder,
            hint="use the set that it was made from, and then `stimgen match SET -o NEW` again",
        )


def read_stimulus(store: Store, content: RecordContent) -> MaskedPicture:
    """Return a stimulus without the apertures that it is shown behind, which become its mask."""
    levels = decode_png(store.read(content.file), store.folder / content.file)
    steps = TypeAdapter(Steps).validate_python(content.settings.get("after", []))
    width, height, _ = content.schedule[-1]
    screen = _screen(content)
    whole = MaskedPicture.from_pixels(np.zeros((height, width, 1), dtype=np.float32), screen)
    shown = as_pixels(levels)
    masked = MaskedPicture(shown, apply_geometry(steps, whole).weights, screen)
    return masked.uncover(shown)


def read_original(store: Store, file: str, content: RecordContent) -> MaskedPicture:
    """Return an original of a stimulus."""
    levels = decode_png(store.read(file), store.folder / file)
    return MaskedPicture.from_pixels(as_pixels(levels), _screen(content))


def _screen(content: RecordContent) -> ScreenSpec:
    background = content.pixels.get("background", BACKGROUND)
    encoding: Encoding = "linear" if content.encoding == "linear" else "srgb"
    return ScreenSpec(encoding, background if isinstance(background, float) else BACKGROUND)


class SavedPicture(NamedTuple):
    """Holds what was saved of a matched picture."""

    file: FileHash
    pixels_sha256: str
    clipped: float


@dataclass(frozen=True)
class MatchedSet:
    """Describes the set that matching makes of another one."""

    settings: SetMatching
    target: tuple[str, ...]
    """Sorted hashes of all pictures whose mean is the target."""

    @property
    def recipe(self) -> dict[str, Any]:
        """Return what ids of the stimuli hash, in addition to their own recipes."""
        return {**self.settings.recipe(), "target": digest(sorted(self.target))}

    def find_stimulus_id(self, content: RecordContent) -> str:
        """Return the id of a matched stimulus."""
        return recipe_identity({**content.recipe, "settings": self._settings(content)})

    def _settings(self, content: RecordContent) -> dict[str, Any]:
        return {**content.settings, MATCHED: self.recipe}

    def name_stimulus(self, content: RecordContent, file: str) -> str:
        """Return the name of a file of a matched stimulus, in which its own id stands."""
        return _rename(file, content.id, self.find_stimulus_id(content))

    def name_original(self, original: FileHash) -> str:
        """Return the name of the file of a matched original."""
        _, mark, last = PurePosixPath(original.file).stem.rpartition("_")
        old = last if mark and len(last) == LETTERS else NO_ID
        return _rename(original.file, old, recipe_identity({"of": original.sha256, **self.recipe}))

    def build_plan(self, plan: PlanRecord, plan_sha256: str, ids: list[str]) -> PlanRecord:
        """Return the plan, which tells what was matched, and of which set."""
        choice = cite_matching(self.settings.to_dict())
        protocol = dict(plan.protocol)
        metadata = SetMetadata.from_plan(protocol, Path(PLAN))
        literature = resolve_papers([*metadata.literature, *choice.papers])
        protocol |= {
            "choices": [one.to_dict() for one in (*metadata.choices, choice)],
            "literature": [one.to_dict() for one in literature],
            MATCHED: {
                "settings": self.settings.to_dict(),
                "target": [*sorted(self.target)],
                "plan_sha256": plan_sha256,
            },
        }
        return PlanRecord(protocol=protocol, ids=ids)

    def build_record(self, record: Record, saved: Mapping[str, SavedPicture]) -> Record:
        """Return the record of a matched stimulus, given what was saved of pictures by their old names."""
        content, picture = record.content, saved[record.content.file]
        sources = (content.source, *content.references)
        originals = [one.replace(original=saved[one.original.file].file) for one in sources]
        changed = content.replace(
            id=self.find_stimulus_id(content),
            file=picture.file.file,
            sha256=picture.file.sha256,
            pixels_sha256=picture.pixels_sha256,
            # Neither the picture before rounding nor pictures on the way were matched.
            array=None,
            snapshots=None,
            trace=content.trace.replace(file=self.name_stimulus(content, content.trace.file)),
            source=originals[0],
            references=tuple(originals[1:]),
            settings=self._settings(content),
            losses=content.losses.replace(saved=None) if content.losses else None,
            clipped=content.clipped.replace(saved=max(content.clipped.saved, picture.clipped)),
        )
        return record.replace(content=changed)


def compare_matched(content: RecordContent, store: Store) -> RecordContent:
    """Return the content with the quality of the matched picture beside its matched original.

    An evaluation network has not seen either of them.
    """
    original, picture = (
        as_pixels(decode_png(store.read(name), store.folder / name))
        for name in (content.source.original.file, content.file)
    )
    found = SourceComparator(original, _screen(content).encoding).compare(picture)
    converged = content.quality.converged if content.quality else None
    return content.replace(quality=build_quality_record(found, converged, None))


def _rename(file: str, old: str, new: str) -> str:
    """Return a file's name with another id: in the name and, if the set is nested, in its folder."""
    folder, _, name = file.rpartition("/")
    before, letters, after = name.rpartition(old[:LETTERS])
    if not letters:  # a set that was made otherwise
        before, after = f"{PurePosixPath(name).stem}_", PurePosixPath(name).suffix
    if "/" in folder:
        folder = f"{folder.rpartition('/')[0]}/{new[:2]}"
    return f"{folder}/{before}{new[:LETTERS]}{after}"
