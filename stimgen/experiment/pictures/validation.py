"""Checks the selected pictures before the first trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from stimgen.experiment.pictures.pictures import SetPicture, read_picture_bytes
from stimgen.experiment.pictures.remedies import (
    FLAT_PER_CENT,
    measure_last_fall,
    suggest_evaluations,
)
from stimgen.experiment.pictures.selection import ContentsByCell, StimulusSelection
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.stimuli import StimulusSettings
from stimgen.images.write import decode_png
from stimgen.reading.errors import CombinedError, StimgenError
from stimgen.stimulus_set.metamer import MetamerRecord
from stimgen.stimulus_set.record import FileHash, RecordContent
from stimgen.stimulus_set.store import Store

NOT_CONVERGED = "did not converge"
NO_METAMER = "is no metamer"
MAX_NAMED = 5  # so that a message with many stimuli stays on one screen


def check_quality(loaded: LoadedExperiment, stores: Sequence[Store], selection: StimulusSelection) -> None:
    """Refuse stimuli that did not converge, copy their source, or fail as metamers of it.

    The first are named, with how far they are from converging, and with what mends them.
    """
    settings = loaded.experiment.stimuli
    unfit = [
        (stores[index], content, reason)
        for index, content in selection.records
        if (reason := find_unfitness(settings, content))
    ]
    if unfit:
        named = "; ".join(_describe_unfit(*one) for one in unfit[:MAX_NAMED])
        more = f"; and {len(unfit) - MAX_NAMED} more" if len(unfit) > MAX_NAMED else ""
        raise StimgenError(
            f"{len(unfit)} of {len(selection.records)} stimuli should not be shown: {named}{more}",
            where=loaded.document.where(("stimuli",)),
            hint="\n  ".join(_list_remedies(unfit)),
        )


def _describe_unfit(store: Store, content: RecordContent, reason: str) -> str:
    fall = measure_last_fall(store, content) if reason == NOT_CONVERGED else None
    return f"{Path(content.file).name} {reason}" + ("" if fall is None else f" ({fall:.3g} %)")


def _list_remedies(unfit: Sequence[tuple[Store, RecordContent, str]]) -> Iterator[str]:
    """Yield what can be done about unfit stimuli, one line each."""
    loose = [(store, content) for store, content, reason in unfit if reason == NOT_CONVERGED]
    if loose:
        yield f"the last tenth of the evaluations may bring at most {FLAT_PER_CENT} % of the fall of the loss"
        yield suggest_evaluations(*loose[0])
    reasons = [reason for _, _, reason in unfit]
    far = [reason.startswith(NO_METAMER) for reason in reasons]
    if any(far):
        yield (
            "fewer than one per cent of unrelated pairs may be as near as a metamer and its source: "
            "raise evaluations, match a shallower layer, or use a network with trained weights"
        )
    keys = (
        ("not_converged", bool(loose)),
        ("not_metamers", any(far)),
        ("copies", len(loose) + sum(far) < len(unfit)),
    )
    yield (
        "or leave them out (stimuli.conditions, sources, seeds); or show them as they are: "
        + " and ".join(f"stimuli.{key}: show" for key, some in keys if some)
    )


def find_unfitness(settings: StimulusSettings, content: RecordContent) -> str | None:
    """Return why a stimulus should not be shown; None if it may be."""
    quality = content.quality
    if quality is None:
        return None
    if quality.converged is False and settings.not_converged == "refuse":
        return NOT_CONVERGED
    if quality.metamer is not None and not quality.metamer.better and settings.not_metamers == "refuse":
        return f"{NO_METAMER} of its source ({_describe_shares(quality.metamer)})"
    if settings.copies == "refuse" and (quality.largest_copy or 0.0) >= settings.largest_copy:
        return f"contains a copy of its source (correlation {quality.largest_copy:.2f})"
    return None


def _describe_shares(metamer: MetamerRecord) -> str:
    """Return how many of the unrelated pairs are as near at the layers that are no better."""
    return ", ".join(
        f"{layer.layer}: {layer.share:.1%} of unrelated pairs are as near"
        for layer in metamer.matched
        if not layer.is_better
    )


def check_cells(
    loaded: LoadedExperiment, selection: StimulusSelection, contents: ContentsByCell, label: str | None = None
) -> None:
    """Refuse a design in which a source has no stimulus of a condition, in the set with a label."""
    in_set = "" if label is None else f" in the set {label!r}"
    for source, condition in selection.cells_with_masks:
        if (source, condition) not in contents:
            seeds = loaded.experiment.stimuli.seeds
            with_seeds = f" with seeds {', '.join(map(str, seeds))}" if seeds else ""
            raise StimgenError(
                f"source {source!r} has no stimulus of condition {condition!r}{with_seeds}{in_set}",
                where=loaded.document.where(("stimuli",)),
                hint="name only sources that have all conditions of their trials, in stimuli.sources, "
                "practice.sources and catch[].sources",
            )


def check_pictures(stores: Sequence[Store], contents: ContentsByCell) -> dict[tuple[int, str], SetPicture]:
    """Return every picture that may be shown, after reading it and comparing it with its record.

    Missing and changed pictures raise one `StimgenError` together.
    """
    found: dict[tuple[int, str], SetPicture] = {}
    problems: dict[tuple[int, str], StimgenError] = {}
    for index, content in (entry for seeds in contents.values() for entry in seeds.values()):
        for file in (FileHash(file=content.file, sha256=content.sha256), content.source.original):
            key = (index, file.file)
            if key not in found and key not in problems:
                try:
                    found[key] = _read_picture(stores[index], index, content, file)
                except StimgenError as error:
                    problems[key] = error
    if problems:
        errors = list(problems.values())
        raise errors[0] if len(errors) == 1 else CombinedError(errors)
    return found


def _read_picture(store: Store, index: int, content: RecordContent, file: FileHash) -> SetPicture:
    is_original = file is content.source.original
    data = read_picture_bytes(store, file.file, file.sha256)
    height, width, _ = decode_png(data, store.folder / file.file).shape
    return SetPicture(
        set=index,
        id=None if is_original else content.id,
        file=file.file,
        sha256=file.sha256,
        condition=content.condition,
        source=content.source.id,
        seed=None if is_original else content.seed,
        width=width,
        height=height,
        encoding="linear" if content.encoding == "linear" else "srgb",
    )
