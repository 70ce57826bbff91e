"""Draws pooling regions over every source of every condition."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stimgen.drawing.overlay import RegionMap, overlay_regions
from stimgen.images.write import encode_png
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.plan import PlannedCondition, make_plan
from stimgen.protocol.planned_source import PlannedSource
from stimgen.reading.files import make_folder, write_file
from stimgen.statistics.regions import Positions, Regions, find_strongest_regions
from stimgen.synthesis.methods.objective import ObjectiveMethod
from stimgen.synthesis.term import Term


def draw_regions(loaded: LoadedProtocol, folder: Path, root: Path | None = None) -> list[Path]:
    """Draw the regions of every condition with an objective over every source.

    Returns
    -------
    list of Path
        The files: ``SOURCE_CONDITION.png``; if a condition's terms have different regions, also
        ``SOURCE_CONDITION_2.png`` and so on.

    Raises
    ------
    StimgenError
        As `make_plan`; a source cannot be read; a file cannot be written.
    """
    written = []
    for condition in make_plan(loaded, root).conditions:
        layouts = _find_layouts(condition)
        for source in condition.sources if layouts else ():
            for i, term in enumerate(layouts, 1):
                number = f"_{i}" if i > 1 else ""
                file = make_folder(folder) / f"{source.id}_{condition.id}{number}.png"
                write_file(file, _draw_picture(condition, source, term))
                written.append(file)
    return written


def _find_layouts(condition: PlannedCondition) -> list[Term]:
    """Return one term for every layout of regions; among equals, the term with the deepest layer."""
    terms = condition.method.terms if isinstance(condition.method, ObjectiveMethod) else ()
    found: dict[Regions, Term] = {}
    for term in terms:
        other = found.setdefault(term.regions, term)
        if (
            term.regions.needs_receptive_fields
            and _find_deepest_layer(term)[1] > _find_deepest_layer(other)[1]
        ):
            found[term.regions] = term
    return list(found.values())


def _find_deepest_layer(term: Term) -> tuple[str, int]:
    """Return the layer with the largest receptive field, and that field's size in pixels."""
    fields = {name: term.network.receptive_field(name) for name in term.layer_weights}
    sizes = {name: 0 if field is None else field.size for name, field in fields.items()}
    name = max(sizes, key=lambda layer: sizes[layer])
    return name, sizes[name]


def _draw_picture(condition: PlannedCondition, source: PlannedSource, term: Term) -> bytes:
    height, width, _ = source.shape
    where, positions = "", Positions(height, width, (height, width))
    if term.regions.needs_receptive_fields:
        layer = _find_deepest_layer(term)[0]
        where, positions = f" in {layer}", _find_positions(term, layer, (height, width))
    labels = find_strongest_regions(term.regions.windows(positions), positions)
    rows = np.arange(height) * positions.height // height
    columns = np.arange(width) * positions.width // width
    count = term.regions.count_regions(width, height)
    caption = f"{source.id}, {condition.id}: {count} regions{where}, {_format_settings(term.regions)}"
    drawn = overlay_regions(
        source.pixels(), RegionMap(labels[np.ix_(rows, columns)], term.regions.fixation_point, caption)
    )
    return encode_png(np.asarray(drawn))


def _find_positions(term: Term, layer: str, picture: tuple[int, int]) -> Positions:
    sides = [term.network.map_side(layer, side) for side in picture]
    return Positions(sides[0], sides[1], picture, term.network.receptive_field(layer))


def _format_settings(regions: Regions) -> str:
    settings = {key: value for key, value in regions.recipe().items() if key != "name" and value is not None}
    if "sha256" in settings:
        settings["sha256"] = settings["sha256"][:8]
    return f"{regions.name}: " + ", ".join(f"{key} {value}" for key, value in settings.items())
