"""Measures what pictures of a condition share by chance, which could explain an experiment's result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

import numpy as np

from stimgen.images.light import Encoding
from stimgen.images.measures.appearance import Appearance, measure_appearance
from stimgen.images.write import as_pixels, decode_png
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.quality import round_significant
from stimgen.stimulus_set.record import Record, RecordContent
from stimgen.stimulus_set.store import Store

ORIGINAL = "original"
MEASURES = Appearance._fields


def compute_confounds(store: Store, stimuli: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Return one row per condition, beginning with the originals.

    Only the given stimuli are measured; by default, all that are finished. A row has ``condition``, ``n``,
    and for every measure of `Appearance` its mean, ``luminance_mean``, and its sample standard deviation,
    ``luminance_sd``; None where there is none. Pictures for which a measure does not exist are left out of
    it. Raises `StimgenError` where no stimulus is finished, or a picture cannot be read.
    """
    chosen = store.read_records() if stimuli is None else map(store.read_record, stimuli)
    found: dict[str, list[Appearance]] = {}
    originals: list[Appearance] = []
    for condition, measures in _measure_all(store, chosen):
        (originals if condition is None else found.setdefault(condition, [])).append(measures)
    if not found:
        raise StimgenError("no stimulus is finished yet", where=store.folder)
    # A condition may have the name that the originals' row has otherwise.
    name = ORIGINAL if ORIGINAL not in found else f"{ORIGINAL} (source)"
    rows = {name: originals, **found}
    return [_summarise(condition, measures) for condition, measures in rows.items()]


def _measure_all(store: Store, records: Iterable[Record]) -> Iterator[tuple[str | None, Appearance]]:
    """Yield the condition and the measures of every picture; the condition of originals is None."""
    seen: set[str] = set()
    for record in records:
        content = record.content
        original = content.source.original.file
        if original not in seen:
            seen.add(original)
            yield None, _measure(original, content, store)
        yield content.condition, _measure(content.file, content, store)


def _measure(file: str, content: RecordContent, store: Store) -> Appearance:
    encodings: tuple[Encoding, ...] = get_args(Encoding)
    encoding = next((known for known in encodings if known == content.encoding), None)
    if encoding is None:
        raise StimgenError(
            f"stimulus {content.id}: the encoding {content.encoding!r} is not known", where=store.folder
        )
    levels = decode_png(store.read(file), store.folder / file)
    return measure_appearance(as_pixels(levels), encoding)


def _summarise(condition: str, measures: list[Appearance]) -> dict[str, Any]:
    row: dict[str, Any] = {"condition": condition, "n": len(measures)}
    for measure, values in zip(MEASURES, np.array(measures, dtype=np.float64).T, strict=True):
        there = values[np.isfinite(values)]
        row[f"{measure}_mean"] = round_significant(float(there.mean())) if len(there) else None
        row[f"{measure}_sd"] = round_significant(float(there.std(ddof=1))) if len(there) > 1 else None
    return row
