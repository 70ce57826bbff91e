"""Chooses pairs of unrelated pictures: sources of the set, and scikit-image's pictures if they are few."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations
from typing import Any

from stimgen.images.prepare import Box, Pixels, Preparation
from stimgen.images.read import ImageFile, find_skimage_file, read_image_file
from stimgen.protocol.plan import ProtocolPlan
from stimgen.protocol.planned_source import PlannedSource
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import canonical_json, sha256_bytes
from stimgen.reading.random_numbers import RandomStream

PHOTOGRAPHS = (
    "astronaut",
    "chelsea",
    "coffee",
    "rocket",
    "motorcycle_left",
    "hubble_deep_field",
    "ihc",
    "camera",
    "coins",
    "moon",
    "brick",
    "grass",
    "gravel",
)
"""Photographs that scikit-image contains, in the order in which they join too few sources."""
HALVES = ((0, 0), (1, 1), (1, 0), (0, 1))
"""Quarters of the photographs, which follow where whole ones do not suffice: whether right, whether low."""

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class NullPicture:
    """Represents a picture that others are compared with; it is read when it is needed."""

    photograph: str
    """The photograph's hash: pictures of one photograph are not unrelated."""
    recipe: dict[str, Any]
    """All that determines the pixels."""
    is_source: bool
    read: Callable[[], Pixels]


@dataclass(frozen=True)
class NullPairs:
    """Holds unrelated pictures of one shape, and the pairs of them that are compared."""

    pictures: tuple[NullPicture, ...]
    pairs: tuple[tuple[int, int], ...]
    """Places of both pictures; the first of a pair is the signal."""

    @property
    def sources(self) -> int:
        """Return the number of sources of the set."""
        return sum(picture.is_source for picture in self.pictures)

    @cached_property
    def sha256(self) -> str:
        """Return a hash of pictures and pairs."""
        recipes = [picture.recipe for picture in self.pictures]
        return sha256_bytes(canonical_json([recipes, [list(pair) for pair in self.pairs]]))


def choose_null_pairs(plan: ProtocolPlan, shape: Shape, count: int) -> NullPairs:
    """Return the given number of pairs of unrelated pictures of a height, width and number of channels.

    Pictures are as few as suffice, because each is measured once: first sources of the set in random order,
    then whole photographs of scikit-image, then quarters of them. Pairs of sources are taken first, all
    others in random order. The same sources give the same pairs.

    Raises `StimgenError` if there are not enough pictures.
    """
    pictures: list[NullPicture] = []
    for picture in (*_list_sources(plan, shape), *_list_photographs(plan, shape)):
        pictures.append(picture)
        if len(pairs := _list_pairs(pictures)) >= count:
            shuffled = RandomStream("pairs of the null", count, shape[1], shape[0]).permutation(pairs)
            shuffled.sort(key=lambda pair: not all(pictures[i].is_source for i in pair))
            return NullPairs(tuple(pictures), tuple(shuffled[:count]))
    raise StimgenError(
        f"the set's sources and scikit-image's photographs make {len(_list_pairs(pictures)):,} pairs of "
        f"unrelated pictures, not {count:,}",
        hint="write fewer `pairs`, or add sources",
    )


def _list_pairs(pictures: Sequence[NullPicture]) -> list[tuple[int, int]]:
    numbered = list(enumerate(picture.photograph for picture in pictures))
    return [(i, j) for (i, one), (j, other) in combinations(numbered, 2) if one != other]


def _list_sources(plan: ProtocolPlan, shape: Shape) -> list[NullPicture]:
    """Return the sources of a shape, each photograph once, in random order."""
    alike = {source.sha256: source for source in reversed(plan.sources) if source.shape == shape}
    order = RandomStream("sources of the null").permutation(sorted(alike))
    return [_take_source(alike[sha256]) for sha256 in order]


def _take_source(source: PlannedSource) -> NullPicture:
    return NullPicture(source.sha256, source.recipe, is_source=True, read=source.pixels)


def _list_photographs(plan: ProtocolPlan, shape: Shape) -> Iterator[NullPicture]:
    """Yield the photographs that are not sources, and then quarters of all."""
    used = {source.sha256 for source in plan.sources}
    photographs = [_read_photograph(name) for name in PHOTOGRAPHS]
    for image in photographs:
        if image.sha256 not in used:
            yield _take_photograph(image, shape, None)
    for half in HALVES:
        for image in photographs:
            yield _take_photograph(image, shape, half)


def _read_photograph(name: str) -> ImageFile:
    return read_image_file(find_skimage_file(name))


def _take_photograph(image: ImageFile, shape: Shape, half: tuple[int, int] | None) -> NullPicture:
    """Return the largest part in the middle of a photograph, or of a quarter, that has the shape's aspect."""
    height, width, channels = shape
    left, top, right, bottom = 0, 0, *image.size
    if half is not None:
        left, top = half[0] * (right // 2), half[1] * (bottom // 2)
        right, bottom = left + right // 2, top + bottom // 2
    scale = min((right - left) / width, (bottom - top) / height)
    across, down = max(1, int(width * scale)), max(1, int(height * scale))
    box = (left + (right - left - across) // 2, top + (bottom - top - down) // 2, across, down)
    preparation = Preparation(
        crop=Box(box=box),
        size=(width, height),
        channels="grey" if channels == 1 else "colour",
        enlarge=True,
    )
    recipe = preparation.recipe(image)
    return NullPicture(image.sha256, recipe, is_source=False, read=partial(preparation.prepare, image))
