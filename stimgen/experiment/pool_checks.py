"""What is checked of pictures before the first trial."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from stimgen.experiment.load import LoadedExperiment
from stimgen.experiment.pool import Chosen, Picture, fit
from stimgen.experiment.stimuli import Stimuli
from stimgen.images.write import decode_png
from stimgen.reading.errors import CombinedError, StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.record import Content, FileHash
from stimgen.stimulus_set.store import Store

Contents = Mapping[tuple[str, str], Mapping[int, tuple[int, Content]]]
NAMED = 5  # of many, so that a message stays on one screen


def check_quality(settings: Stimuli, contents: Iterable[Content]) -> None:
    """Refuse stimuli that are not fit to be shown.

    Raises
    ------
    StimgenError
        Some had not converged, or hold copies of their sources; the first are named.
    """
    unfit = [(content, reason) for content in contents if (reason := fit(settings, content)) is not None]
    if not unfit:
        return
    named = "; ".join(f"{content.file} {reason}" for content, reason in unfit[:NAMED])
    more = f"; and {len(unfit) - NAMED} more" if len(unfit) > NAMED else ""
    raise StimgenError(
        f"{len(unfit)} stimuli are not fit to be shown: {named}{more}",
        hint="make them again with more evaluations, leave them out, or say stimuli.not_converged: show or "
        "stimuli.copies: show",
    )


def check_cells(loaded: LoadedExperiment, chosen: Chosen, contents: Contents) -> None:
    """Refuse a design in which pictures are missing that have to meet.

    Raises
    ------
    StimgenError
        A source has no stimulus of a condition, or not as many seeds as a trial needs.
    """
    settings = loaded.experiment.stimuli
    seeds = 2 if "synthesis-synthesis" in settings.meet or settings.again == "seed" else 1
    for condition in chosen.conditions:
        for source in (*chosen.sources, *chosen.practice):
            found = contents.get((source, condition), {})
            if len(found) < seeds:
                have = ", ".join(str(seed) for seed in sorted(found)) or "none"
                raise StimgenError(
                    f"source {source!r} in condition {condition!r} has too few stimuli: {seeds} seeds are "
                    f"needed, and there are: {have}",
                    where=loaded.document.where(("stimuli",)),
                )


def check_pictures(stores: Sequence[Store], contents: Contents) -> dict[tuple[int, str], Picture]:
    """Return every picture that may be shown, after it was read and compared with its record.

    Raises
    ------
    StimgenError
        Pictures are missing, or not what their records say.
    """
    found: dict[tuple[int, str], Picture] = {}
    problems: list[StimgenError] = []
    for seeds in contents.values():
        for place, content in seeds.values():
            for file, is_original in _files(content):
                try:
                    if (place, file.file) not in found:
                        found[place, file.file] = _picture(stores[place], place, content, file, is_original)
                except StimgenError as error:
                    problems.append(error)
    if problems:
        raise problems[0] if len(problems) == 1 else CombinedError(problems)
    return found


def _files(content: Content) -> list[tuple[FileHash, bool]]:
    return [
        (FileHash(file=content.file, sha256=content.sha256), False),
        (content.source.original, True),
    ]


def _picture(store: Store, place: int, content: Content, file: FileHash, is_original: bool) -> Picture:
    data = store.read(file.file)
    if sha256_bytes(data) != file.sha256:
        raise StimgenError(
            "is not the picture that its record names: its hash is another", where=store.folder / file.file
        )
    height, width, channels = decode_png(data, store.folder / file.file).shape
    return Picture(
        set=place,
        id=None if is_original else content.id,
        file=file.file,
        sha256=file.sha256,
        condition=content.condition,
        source=content.source.id,
        seed=None if is_original else content.seed,
        width=width,
        height=height,
        channels=channels,
        encoding="linear" if content.encoding == "linear" else "srgb",
    )
