"""Draws parts of pictures, so that the parts of one trial share no pixel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from stimgen.experiment.design.paradigms.base import PictureSlot
from stimgen.experiment.design.trial import Box
from stimgen.experiment.pictures.pictures import SetPicture
from stimgen.experiment.schema.stimuli import CropSettings, StimulusSettings
from stimgen.reading.random_numbers import RandomStream

ATTEMPTS = 20
Size = tuple[int, int]
PartKey = tuple[str, int, str | None, str | None]
"""Role, copy, condition and source, which identify the part of a picture in a trial."""


def draw_crops(
    settings: StimulusSettings,
    slots: Sequence[PictureSlot],
    pictures: Sequence[SetPicture],
    stream: RandomStream,
) -> list[Box]:
    """Return the shown part of every slot's picture; slots with the same key have the same part.

    The pictures have one size, and the crops of the settings fit into it (see `parts_fit`).
    """
    area = (pictures[0].width, pictures[0].height)
    crop = settings.crop
    if crop is None:
        return [(0, 0, *area)] * len(slots)
    size = (crop.width, crop.height)
    if crop.place == "centre":
        return [centre_box(size, area)] * len(slots)
    if crop.place != "random":
        return [(*crop.place, *size)] * len(slots)
    parts = [identify_part(settings, slot) for slot in slots]
    boxes: dict[PartKey, Box] = {}
    for group in _group_parts(crop, parts, pictures):
        boxes.update(zip(group, draw_boxes(len(group), size, area, stream), strict=True))
    return [boxes[part] for part in parts]


def identify_part(settings: StimulusSettings, slot: PictureSlot) -> PartKey:
    """Return a key of the part of a slot's picture; with ``again: same`` all copies show the same part."""
    return slot.role, 0 if settings.again == "same" else slot.copy, slot.condition, slot.source


def _group_parts(
    crop: CropSettings, parts: Sequence[PartKey], pictures: Sequence[SetPicture]
) -> list[list[PartKey]]:
    """Return groups of parts that must not overlap; those of different sources always may."""
    found: dict[object, dict[PartKey, None]] = {}
    for part, picture in zip(parts, pictures, strict=True):
        groups = {"never": part[-1], "between_pictures": (picture.set, picture.file), "allow": part}
        found.setdefault(groups[crop.overlap], {})[part] = None
    return [list(group) for group in found.values()]


def parts_fit(size: Size, count: int, area: Size) -> bool:
    """Return whether `count` parts of a size fit into an area without overlap, in rows and columns."""
    return (area[0] // size[0]) * (area[1] // size[1]) >= count


def draw_boxes(count: int, size: Size, area: Size, stream: RandomStream) -> list[Box]:
    """Return random boxes of a size, within an area, that do not overlap; they must fit (see `parts_fit`).

    Boxes are drawn independently, several times. If they always overlap, because there is little room, the
    area is cut at random, and each box is drawn within a piece of its own.
    """
    # One draw for all attempts: if there is little room, most of them fail.
    numbers = stream.uniforms(ATTEMPTS * count * 2)
    for first in range(0, len(numbers), count * 2):
        pairs = numbers[first : first + count * 2]
        boxes = [_box_at(size, (0, 0, *area), pairs[i : i + 2]) for i in range(0, count * 2, 2)]
        if not any(boxes_overlap(a, b) for a, b in combinations(boxes, 2)):
            return boxes
    pieces = _cut_area(count, size, (0, 0, *area), stream)
    return stream.permutation([_box_at(size, piece, stream.uniforms(2)) for piece in pieces])


def boxes_overlap(first: Box, second: Box) -> bool:
    """Return whether two boxes share a pixel."""
    return all(first[i] < second[i] + second[i + 2] and second[i] < first[i] + first[i + 2] for i in (0, 1))


def is_inside(part: Box, whole: Box) -> bool:
    """Return whether a box has at least one pixel and lies within another."""
    return all(
        part[i + 2] >= 1 and whole[i] <= part[i] and part[i] + part[i + 2] <= whole[i] + whole[i + 2]
        for i in (0, 1)
    )


def centre_box(size: Size, area: Size) -> Box:
    """Return the box in the middle of an area."""
    return (area[0] - size[0]) // 2, (area[1] - size[1]) // 2, *size


def _box_at(size: Size, area: Box, numbers: Sequence[float]) -> Box:
    """Return the box within an area whose place two numbers in [0, 1) give."""
    left, top, width, height = area
    x, y = int(numbers[0] * (width - size[0] + 1)), int(numbers[1] * (height - size[1] + 1))
    return left + x, top + y, *size


def _cut_area(count: int, size: Size, area: Box, stream: RandomStream) -> list[Box]:
    """Cut an area at random into pieces, each large enough for one part."""
    if count == 1:
        return [area]
    cuts = [
        (axis, first)
        for axis in (0, 1)
        for first in range(1, count)
        if _can_cut(axis, first, count, size, area)
    ]
    axis, first = stream.choice(cuts)
    low = _shortest_length(axis, first, size, area)
    high = area[axis + 2] - _shortest_length(axis, count - first, size, area)
    length = low + stream.randbelow(high - low + 1)
    left, top, width, height = area
    if axis == 0:
        near, far = (left, top, length, height), (left + length, top, width - length, height)
    else:
        near, far = (left, top, width, length), (left, top + length, width, height - length)
    return [*_cut_area(first, size, near, stream), *_cut_area(count - first, size, far, stream)]


def _shortest_length(axis: int, count: int, size: Size, area: Box) -> int:
    """Return the smallest length along an axis into which `count` parts fit."""
    across = max(1, area[3 - axis] // size[1 - axis])
    return -(-count // across) * size[axis]


def _can_cut(axis: int, first: int, count: int, size: Size, area: Box) -> bool:
    needed = _shortest_length(axis, first, size, area) + _shortest_length(axis, count - first, size, area)
    return needed <= area[axis + 2] and area[3 - axis] >= size[1 - axis]
