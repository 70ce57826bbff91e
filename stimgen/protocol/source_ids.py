"""Derives the ids of sources from the names of their files: in ASCII, and no two alike."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from stimgen.images.read import SKIMAGE_PREFIX
from stimgen.protocol.patterns import compose_name
from stimgen.reading.identity import sha256_bytes

LONGEST = 64
LABEL = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST - 1}}}")
DIGITS = 8
# Letters that Unicode does not take apart.
LETTERS = str.maketrans(
    {
        **{"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O"},
        **{"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ł": "l", "Ł": "L"},
        **{"ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ŋ": "n", "Ŋ": "N", "ı": "i"},
    }
)
LEVELS = 3  # ways to make an id of a name, each less likely than the one before to be another's


def derive_id(name: str) -> str:
    """Return the id for a file name without its ending; a valid name stays as it is.

    Letters lose their accents, and anything else that an id cannot have becomes a hyphen. A name of which
    nothing is left, such as a Chinese one, becomes ``picture-`` and a part of its hash.

    Examples
    --------
    >>> derive_id("0.89_cat"), derive_id("Foto 1"), derive_id("Käse"), derive_id("猫")
    ('0.89_cat', 'Foto-1', 'Kase', 'picture-a810bf84')
    """
    if LABEL.fullmatch(name):
        return name
    apart = unicodedata.normalize("NFKD", name).translate(LETTERS)
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    text = re.sub(r"-*[^A-Za-z0-9._-]+-*", "-", bare).lstrip("-._").rstrip("-")
    return text[:LONGEST] if text else f"picture-{_hash_name(name)}"


def derive_ids(names: Sequence[str], given: Sequence[str | None]) -> list[str]:
    """Return an id for each source, from the path of its file, unless the protocol gave one.

    Ids that would be alike, without regard to case, get the name of their folder in front (``cats_01`` and
    ``dogs_01``), or a part of the hash of their path at the end. One of them keeps its id: one that was
    given, or the only name that can serve as it is. Neither the order of the sources nor the Unicode
    normalisation of their names makes a difference. Two equal names get equal ids.
    """
    paths = [PurePath(compose_name(name.removeprefix(SKIMAGE_PREFIX))) for name in names]
    levels = [0] * len(paths)
    while True:
        ids = [
            one or _name_source(path, level) for path, level, one in zip(paths, levels, given, strict=True)
        ]
        counts = Counter(name.lower() for name in ids)
        owners = _find_owners(ids, paths, levels, given)
        crowded = [
            i
            for i, name in enumerate(ids)
            if counts[name.lower()] > 1 and given[i] is None and i not in owners and levels[i] < LEVELS - 1
        ]
        if not crowded:
            return ids
        for i in crowded:
            levels[i] += 1


def _find_owners(
    ids: Sequence[str], paths: Sequence[PurePath], levels: Sequence[int], given: Sequence[str | None]
) -> set[int]:
    """Return the sources that keep an id that others would have, too."""
    claims: dict[str, list[int]] = {}
    for i, path in enumerate(paths):
        if given[i] is None and levels[i] == 0 and path.stem == ids[i]:
            claims.setdefault(ids[i].lower(), []).append(i)
    taken = {name.lower() for name in given if name is not None}
    return {found[0] for name, found in claims.items() if len(found) == 1 and name not in taken}


def _name_source(path: PurePath, level: int) -> str:
    name = derive_id(path.stem)
    if level == 0:
        return name
    folder = path.parent.name
    if level == 1 and folder not in ("", ".."):
        return f"{derive_id(folder)}_{name}"[:LONGEST]
    return f"{name[: LONGEST - DIGITS - 1]}-{_hash_name(path.as_posix())}"


def _hash_name(name: str) -> str:
    # Names that are no text, which some systems permit, have a hash as well.
    return sha256_bytes(compose_name(name).encode("utf-8", "surrogatepass"))[:DIGITS]
