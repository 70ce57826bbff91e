"""Ids of sources: ASCII, unique, and independent of order and Unicode normalisation."""

from __future__ import annotations

import random
import re
import unicodedata
from pathlib import PurePath

from hypothesis import given
from hypothesis import strategies as st

from stimgen.protocol.source_ids import derive_id, derive_ids

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LETTERS = st.one_of(
    st.sampled_from("aAbB01._- '\"()~\u00e9\u00c9\u00df\u0142\u732b\u0301\u0430"),
    st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)),
)
STEMS = st.text(LETTERS, min_size=1, max_size=80).filter(lambda text: text not in (".", ".."))
PATHS = st.builds(
    lambda folders, stem, ending: "/".join([*folders, stem + ending]),
    st.lists(st.sampled_from(["a", "b c", "\u00e4"]), max_size=2),
    STEMS,
    st.sampled_from([".png", ".JPG"]),
)
# Files of one folder have names that differ, also in their composed letters.
NAMES = st.lists(PATHS, min_size=1, max_size=8, unique_by=lambda name: unicodedata.normalize("NFC", name))


@given(STEMS)
def test_an_id_is_a_label_and_labels_stay(stem: str) -> None:
    assert LABEL.fullmatch(derive_id(stem))
    assert derive_id(derive_id(stem)) == derive_id(stem)
    for form in ("NFC", "NFD"):
        assert derive_id(unicodedata.normalize(form, stem)) == derive_id(stem)  # type: ignore[arg-type]  # a word


@given(NAMES, st.randoms(use_true_random=False))
def test_ids_are_unique_whatever_the_order(names: list[str], order: random.Random) -> None:
    ids = derive_ids(names, [None] * len(names))
    assert all(LABEL.fullmatch(name) for name in ids)
    assert len({name.lower() for name in ids}) == len(ids)
    shuffled = order.sample(names, len(names))
    assert dict(zip(shuffled, derive_ids(shuffled, [None] * len(names)), strict=True)) == dict(
        zip(names, ids, strict=True)
    )
    apart = [unicodedata.normalize("NFD", name) for name in names]
    assert derive_ids(apart, [None] * len(names)) == ids


@given(st.lists(st.from_regex(LABEL, fullmatch=True), min_size=1, max_size=6, unique_by=str.lower), NAMES)
def test_names_that_can_serve_keep_their_id_whatever_else_is_there(
    good: list[str], others: list[str]
) -> None:
    stems = {PurePath(name).stem.lower() for name in others}
    kept = [name for name in good if name.lower() not in stems]
    names = [*(f"{name}.png" for name in kept), *others]
    assert derive_ids(names, [None] * len(names))[: len(kept)] == kept


@given(NAMES, st.data())
def test_an_id_that_is_given_stays(names: list[str], data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(names) - 1))
    given_ids: list[str | None] = [None] * len(names)
    given_ids[i] = data.draw(st.sampled_from([derive_id(PurePath(name).stem) for name in names]))
    ids = derive_ids(names, given_ids)
    assert ids[i] == given_ids[i]
    assert len({name.lower() for name in ids}) == len(ids)
