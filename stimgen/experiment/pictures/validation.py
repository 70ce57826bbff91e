"""What is checked of pictures before the first trial."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from stimgen.experiment.pictures.pictures import SetPicture, read_picture_bytes
from stimgen.experiment.pictures.selection import ContentsByCell, StimulusSelection
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.stimuli import StimulusSettings
from stimgen.images.write import decode_png
from stimgen.reading.errors import CombinedError, StimgenError
from stimgen.stimulus_set.record import FileHash, RecordContent
from stimgen.stimulus_set.store import Store

MAX_NAMED = 5  # of many, so that a message stays on one screen


def check_quality(loaded: LoadedExperiment, contents: Iterable[RecordContent]) -> None:
    """Refuse stimuli that are not fit to be shown.

    Raises
    ------
    StimgenError
        Some had not converged, or hold copies of their sources; the first are named.
    """
    settings = loaded.experiment.stimuli
    unfit = [(content, reason) for content in contents if (reason := find_unfitness(settings, content))]
    if not unfit:
        return
    named = "; ".join(f"{Path(content.file).name} {reason}" for content, reason in unfit[:MAX_NAMED])
    more = f"; and {len(unfit) - MAX_NAMED} more" if len(unfit) > MAX_NAMED else ""
    raise StimgenError(
        f"{len(unfit)} stimuli are not fit to be shown: {named}{more}",
        where=loaded.document.where(("stimuli",)),
        hint="make them again with more evaluations, leave them out, or say stimuli.not_converged: show or "
        "stimuli.copies: show",
    )


def find_unfitness(settings: StimulusSettings, content: RecordContent) -> str | None:
    """Return why a stimulus is not fit to be shown; None where it is."""
    quality = content.quality
    if quality is None:
        return None
    if quality.converged is False and settings.not_converged == "refuse":
        return "had not converged"
    if settings.copies == "refuse" and (quality.largest_copy or 0.0) >= settings.largest_copy:
        return f"holds a copy of its source (correlation {quality.largest_copy:.2f})"
    return None


def check_cells(loaded: LoadedExperiment, part: StimulusSelection, contents: ContentsByCell) -> None:
    """Refuse a design in which a source has no stimulus of a condition.

    Raises
    ------
    StimgenError
        There is such a source.
    """
    for condition in part.conditions:
        for source in (*part.sources, *part.practice):
            if (source, condition) not in contents:
                seeds = loaded.experiment.stimuli.seeds
                of = f" of the seeds {', '.join(map(str, seeds))}" if seeds else ""
                raise StimgenError(
                    f"source {source!r} has no stimulus of condition {condition!r}{of}",
                    where=loaded.document.where(("stimuli",)),
                    hint="name the sources that have all conditions in stimuli.sources",
                )


def check_pictures(stores: Sequence[Store], contents: ContentsByCell) -> dict[tuple[int, str], SetPicture]:
    """Return every picture that may be shown, after it was read and compared with its record.

    Raises
    ------
    StimgenError
        Pictures are missing, or not what their records say.
    """
    found: dict[tuple[int, str], SetPicture] = {}
    problems: dict[tuple[int, str], StimgenError] = {}
    for place, content, file, is_original in _list_files(contents):
        key = (place, file.file)
        if key in found or key in problems:
            continue
        try:
            found[key] = _read_picture(stores[place], place, content, None if is_original else file)
        except StimgenError as error:
            problems[key] = error
    if problems:
        every = list(problems.values())
        raise every[0] if len(every) == 1 else CombinedError(every)
    return found


def _list_files(contents: ContentsByCell) -> Iterator[tuple[int, RecordContent, FileHash, bool]]:
    for seeds in contents.values():
        for place, content in seeds.values():
            yield place, content, FileHash(file=content.file, sha256=content.sha256), False
            yield place, content, content.source.original, True


def _read_picture(store: Store, place: int, content: RecordContent, synthesis: FileHash | None) -> SetPicture:
    """Return a synthesis, or the original where there is none."""
    file = synthesis or content.source.original
    data = read_picture_bytes(store, file.file, file.sha256)
    height, width, channels = decode_png(data, store.folder / file.file).shape
    return SetPicture(
        set=place,
        id=content.id if synthesis else None,
        file=file.file,
        sha256=file.sha256,
        condition=content.condition,
        source=content.source.id,
        seed=content.seed if synthesis else None,
        width=width,
        height=height,
        channels=channels,
        encoding="linear" if content.encoding == "linear" else "srgb",
    )
