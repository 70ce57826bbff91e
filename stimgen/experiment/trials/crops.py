"""Parts of pictures, drawn so that those of one trial share no pixel."""

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
PartKey = tuple[str, int]
"""Role and copy: what tells the parts of a trial apart."""


def draw_crops(
    settings: StimulusSettings,
    items: Sequence[PictureSlot],
    pictures: Sequence[SetPicture],
    stream: RandomStream,
) -> list[Box]:
    """Return the part of every item's picture; the very same items have the very same parts.

    Parameters
    ----------
    settings : StimulusSettings
        What the experiment says; there is room for what it says (see `parts_fit`).
    items, pictures : sequence
        What a trial shows; the pictures are of one size.
    stream : RandomStream
        Where the draws come from.
    """
    area = (pictures[0].width, pictures[0].height)
    crop = settings.crop
    if crop is None:
        return [(0, 0, *area)] * len(items)
    size = (crop.width, crop.height)
    if crop.place == "centre":
        return [centre_box(size, area)] * len(items)
    if crop.place != "random":
        return [(*crop.place, *size)] * len(items)
    parts = [identify_part(settings, item) for item in items]
    boxes: dict[PartKey, Box] = {}
    for among in _group_parts(crop, parts, pictures):
        boxes.update(zip(among, draw_boxes(len(among), size, area, stream), strict=True))
    return [boxes[part] for part in parts]


def identify_part(settings: StimulusSettings, item: PictureSlot) -> PartKey:
    """Return what tells the part of an item's picture from others; with ``again: same`` copies are alike."""
    return item.role, 0 if settings.again == "same" else item.copy


def _group_parts(
    crop: CropSettings, parts: Sequence[PartKey], pictures: Sequence[SetPicture]
) -> list[list[PartKey]]:
    """Return groups of parts that must not lie over each other."""
    together: dict[object, dict[PartKey, None]] = {}
    for part, picture in zip(parts, pictures, strict=True):
        groups = {"never": None, "between_pictures": (picture.set, picture.file), "allow": part}
        together.setdefault(groups[crop.overlap], {})[part] = None
    return [list(among) for among in together.values()]


def parts_fit(size: Size, count: int, area: Size) -> bool:
    """Return whether so many parts of a size fit side by side into an area, in rows and columns."""
    return (area[0] // size[0]) * (area[1] // size[1]) >= count


def draw_boxes(count: int, size: Size, area: Size, stream: RandomStream) -> list[Box]:
    """Return places for `count` parts of an area that do not overlap.

    Drawn independently, as long as that soon gives parts that are apart; where room is tight, the area is cut
    at random, and each part drawn in a piece of its own.

    Parameters
    ----------
    count : int
        How many; they must fit in rows and columns (see `parts_fit`).
    size, area : tuple of int
        Width and height of a part and of the whole.
    stream : RandomStream
        Where the draws come from.
    """
    # One draw for all attempts: where room is tight, most of them are in vain.
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
    """Return whether a box that holds a pixel lies in another."""
    return all(
        part[i + 2] >= 1 and whole[i] <= part[i] and part[i] + part[i + 2] <= whole[i] + whole[i + 2]
        for i in (0, 1)
    )


def centre_box(size: Size, area: Size) -> Box:
    """Return the box in the middle of an area."""
    return (area[0] - size[0]) // 2, (area[1] - size[1]) // 2, *size


def _box_at(size: Size, area: Box, numbers: Sequence[float]) -> Box:
    """Return the part of an area that two numbers in [0, 1) stand for."""
    left, top, width, height = area
    x, y = int(numbers[0] * (width - size[0] + 1)), int(numbers[1] * (height - size[1] + 1))
    return left + x, top + y, *size


def _cut_area(count: int, size: Size, area: Box, stream: RandomStream) -> list[Box]:
    """Cut an area into pieces, each large enough for one part."""
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
    at = low + stream.randbelow(high - low + 1)
    near, far = list(area), list(area)
    near[axis + 2], far[axis], far[axis + 2] = at, area[axis] + at, area[axis + 2] - at
    return [
        *_cut_area(first, size, (near[0], near[1], near[2], near[3]), stream),
        *_cut_area(count - first, size, (far[0], far[1], far[2], far[3]), stream),
    ]


def _shortest_length(axis: int, count: int, size: Size, area: Box) -> int:
    """Return the least length along an axis that holds so many parts, as wide as the area is across."""
    across = max(1, area[3 - axis] // size[1 - axis])
    return -(-count // across) * size[axis]


def _can_cut(axis: int, first: int, count: int, size: Size, area: Box) -> bool:
    needed = _shortest_length(axis, first, size, area) + _shortest_length(axis, count - first, size, area)
    return needed <= area[axis + 2] and area[3 - axis] >= size[1 - axis]
