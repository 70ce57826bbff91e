"""Collects what the page shows of a stimulus beside its picture in full size."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from typing import Any

from stimgen.reading.errors import StimgenError
from stimgen.reading.text import to_one_line
from stimgen.report.metamers import describe_metamer
from stimgen.report.pictures import SNAPSHOT_SIDE, PictureEmbedder, read_checked
from stimgen.report.rules import RULES
from stimgen.report.survey import ListedStimulus
from stimgen.stimulus_set.citing.wording import describe_settings, format_value
from stimgen.stimulus_set.record import Record, RecordContent
from stimgen.stimulus_set.store import Store

Facts = list[tuple[str, str]]
MOST_SNAPSHOTS = 12
MOST_POINTS = 80  # of a curve, per scale

Curve = list[list[tuple[int, float]]]


def stimulus_details(
    store: Store, pictures: PictureEmbedder, listed: ListedStimulus, record: Record
) -> dict[str, Any]:
    """Return what the page's script shows of a stimulus, ready for JSON."""
    content = record.content
    return {
        "title": to_one_line(f"{content.source.id}, {content.condition}, seed {content.seed}"),
        "size": content.size,
        "exact": pictures.side is None,
        "warnings": [RULES[key].title for key in listed.warnings],
        "groups": [[title, facts] for title, facts in _list_groups(record).items() if facts],
        "curve": read_curve(store, content),
        "snapshots": list(_embed_snapshots(pictures, content)),
    }


def _list_groups(record: Record) -> dict[str, Facts]:
    content, made = record.content, record.made
    stimulus = _make_facts(
        ("Id", content.id),
        ("File", content.file),
        ("Encoding", content.encoding),
        ("Parameters of the model", f"{content.parameters:,}" if content.parameters else None),
        ("Evaluations", f"{content.evaluations:,}; stopped: {content.stopped}"),
        ("Made", f"{made.finished} on {made.device}"),
    )
    hashes = _make_facts(
        ("Picture", content.sha256),
        ("Pixels", content.pixels_sha256),
        ("Array", content.array.sha256 if content.array else None),
        ("Trace", content.trace.sha256),
        ("Source file", content.source.sha256),
        ("Source as the model saw it", content.source.original.sha256),
        *((f"Weights of {one.name}", one.weights_sha256) for one in content.network),
    )
    settings = _settings_facts(content)
    return {
        "Stimulus": stimulus,
        "Quality": _quality_facts(content),
        "Metamer": describe_metamer(content),
        "Settings": settings,
        "SHA-256": hashes,
    }


def _quality_facts(content: RecordContent) -> Facts:
    found, losses = content.quality, content.losses
    judge = found.judge if found else None
    return _make_facts(
        ("Loss at the start", losses.start.total if losses else None),
        ("Loss at the end", losses.end.total if losses else None),
        ("Loss of the saved picture", losses.saved.total if losses and losses.saved else None),
        ("Converged", found.converged if found else None),
        ("Largest copy", found.largest_copy if found else None),
        ("Luminance distance", found.luminance_distance if found else None),
        ("Spectrum distance", found.spectrum_distance if found else None),
        ("Amplitudes kept", found.amplitude_kept if found else None),
        (f"Score by {judge.network}" if judge else "", judge.score if judge else None),
        ("Score between halves of the source", judge.halves if judge else None),
        ("Clipped in the stimulus", f"{content.clipped.saved:.2%}"),
        ("Clipped in the source", f"{content.clipped.source:.2%}"),
    )


def _settings_facts(content: RecordContent) -> Facts:
    scales = "; ".join(f"{width} \u00d7 {height}, {count:,}" for width, height, count in content.schedule)
    terms = list(map(_format_term, content.terms))
    names = [f"Term {i}" for i in range(1, len(terms) + 1)] if len(terms) > 1 else ["Matched"] * len(terms)
    return _make_facts(
        *zip(names, terms, strict=True),
        ("Scales and evaluations", scales),
        *((str(key).replace("_", " ").capitalize(), found) for key, found in content.settings.items()),
        ("Source pixels", "; ".join(describe_settings(content.pixels, "sha256"))),
        ("Changed for a quick trial", "; ".join(content.changes) or None),
    )


def _format_term(term: Mapping[str, Any]) -> str:
    layers = term.get("layers")
    found = {**term, "layers": list(layers)} if isinstance(layers, Mapping) else term
    return "; ".join(describe_settings(found))


def _make_facts(*facts: tuple[str, Any]) -> Facts:
    return [(to_one_line(key), _format_value(v)) for key, v in facts if v is not None and v != []]


def _format_value(found: Any) -> str:
    if isinstance(found, bool):
        return "yes" if found else "no"
    return format_value(found)


def _embed_snapshots(pictures: PictureEmbedder, content: RecordContent) -> Iterator[tuple[str, str]]:
    files = content.snapshots.files if content.snapshots else ()
    count = min(len(files), MOST_SNAPSHOTS)
    for i in range(count):
        # The first, the last, and others evenly between.
        file = files[i * (len(files) - 1) // max(1, count - 1)]
        place = f"scale {file.scale + 1}, evaluation {file.evaluation}"
        yield pictures.embed(file, SNAPSHOT_SIDE).data, place


def read_curve(store: Store, content: RecordContent) -> Curve:
    """Return, for every scale, a list of evaluations, counted from 1 over all scales, and losses.

    Losses that a logarithmic axis cannot show are left out. Of many points, the first and the last of every
    scale are kept, and some between them.
    """
    text = read_checked(store, content.trace).decode("utf-8", errors="replace")
    scales: dict[str, list[tuple[int, float]]] = {}
    try:
        for i, row in enumerate(csv.DictReader(text.splitlines()), start=1):
            loss = float(row["total"])
            if math.isfinite(loss) and loss > 0:
                scales.setdefault(row["scale"], []).append((i, float(f"{loss:.4g}")))
    except (KeyError, TypeError, ValueError, csv.Error):
        raise StimgenError("is not a trace of losses", where=store.path(content.trace.file)) from None
    return [_thin_out(points) for points in scales.values()]


def _thin_out(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    step = max(1, math.ceil((len(points) - 1) / (MOST_POINTS - 1)))
    return [*points[:-1:step], points[-1]]
