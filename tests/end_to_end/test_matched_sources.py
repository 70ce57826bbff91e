"""The key `matching` of protocols, and sets whose finished pictures are matched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hand_made import Wanted, write_set
from planned_set import write_planned_set

from stimgen.experiment.pictures.remedies import suggest_evaluations
from stimgen.images.matching import SetMatching
from stimgen.images.write import decode_png
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import ProtocolPlan, make_plan
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.citing import read_citation, render_citation
from stimgen.stimulus_set.store import Store
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.match_set import match_set
from stimgen.workflow.repair import repair_set

SOURCES = ("brick", "grass", "coffee", "chelsea")


def plan(folder: Path, matching: str, sources: tuple[str, ...] = SOURCES[:3], more: str = "") -> ProtocolPlan:
    entries = "".join(f"  - {{file: skimage:{name}}}\n" for name in sources)
    (folder / "p.yaml").write_text(
        f"name: p\npreparation: {{size: 32, channels: grey}}\nsources:\n{entries}"
        f"conditions: [{{id: texture, depth: scale3}}]\n{matching}\n{more}"
    )
    return make_plan(load_protocol(folder / "p.yaml"))


def ids(made: ProtocolPlan) -> dict[str, str]:
    return {stimulus.source.id: stimulus.id for stimulus in made.stimuli}


def test_what_a_model_measures_has_one_histogram(tmp_path: Path) -> None:
    values = [np.sort(one.pixels(), axis=None) for one in plan(tmp_path, "matching: {}").sources]
    assert all((one == values[0]).all() for one in values)


def test_identities_depend_on_the_pictures_of_the_target_and_on_nothing_else(tmp_path: Path) -> None:
    without, three = ids(plan(tmp_path, "")), ids(plan(tmp_path, "matching: {}"))
    four = ids(plan(tmp_path, "matching: {}", SOURCES))
    assert not set(without.values()) & set(three.values())
    assert not set(three.values()) & set(four.values())
    assert ids(plan(tmp_path, "matching: {}", SOURCES[2::-1])) == three
    assert ids(plan(tmp_path, "matching: {clipping: 0.5}")) == three
    named = ids(plan(tmp_path, "matching: {pictures: [brick, grass, coffee]}", SOURCES))
    assert {name: named[name] for name in three} == three
    assert not set(ids(plan(tmp_path, "matching: {contrast: 0.9}")).values()) & set(three.values())


@pytest.mark.parametrize(
    ("matching", "sources", "told"),
    [
        ("matching: {pictures: [brick, gras]}", SOURCES, "did you mean 'grass'"),
        ("matching: {}", SOURCES[:1], "at least two"),
        ("matching: {luminance: none}", SOURCES, "neither luminance nor spectrum"),
        ("matching: {spectrum: rotation}", SOURCES, "did you mean 'rotational'"),
        ("matching: {ssim: 2, luminance: moments}", SOURCES, "`luminance: histogram`"),
    ],
)
def test_a_mistake_is_located(tmp_path: Path, matching: str, sources: tuple[str, ...], told: str) -> None:
    with pytest.raises(StimgenError) as caught:
        plan(tmp_path, matching, sources)
    assert told in str(caught.value)
    assert caught.value.where is not None
    assert caught.value.where.line == 3 + len(sources) + 2


def test_spectra_of_pictures_of_different_sizes_are_refused_by_the_plan(tmp_path: Path) -> None:
    entries = "sources:\n  - {file: skimage:brick}\n  - {file: skimage:coffee, crop: none}\n"
    (tmp_path / "p.yaml").write_text(
        f"name: p\npreparation: {{size: 32}}\n{entries}matching: {{spectrum: full}}\n"
        "conditions: [{id: texture, depth: scale3}]\n"
    )
    with pytest.raises(StimgenError, match="39 x 26 pixels") as caught:
        make_plan(load_protocol(tmp_path / "p.yaml"))
    assert str(caught.value.where).endswith("p.yaml:6")


def test_clipping_names_the_contrast_that_helps(tmp_path: Path) -> None:
    made = plan(tmp_path, "matching: {luminance: none, spectrum: full}")
    with pytest.raises(StimgenError, match="contrast: 0") as caught:
        [source.pixels() for source in made.sources]
    contrast = str(caught.value).split("contrast: ")[1].split("`")[0]
    made = plan(tmp_path, f"matching: {{luminance: none, spectrum: full, contrast: {contrast}}}")
    assert max(source.stage().clipped for source in made.sources) < 0.001


def read(store: Store, name: str) -> np.ndarray:
    return decode_png(store.read(name), store.folder / name)


def test_a_set_becomes_a_new_sound_set_with_one_histogram(tmp_path: Path) -> None:
    store = write_set(tmp_path / "old", Wanted(sources=("brick",), seeds=(1, 2, 3)))
    match_set(store, tmp_path / "new")
    new = Store.open(tmp_path / "new")
    assert verify_set(new).problems == []
    contents = [record.content for record in new.read_records()]
    assert len(contents) == 3
    files = {name for one in contents for name in (one.file, one.source.original.file)}
    assert len(files) == 4
    assert len({tuple(np.sort(read(new, name), axis=None)) for name in files}) == 1
    assert not {one.id for one in contents} & set(store.read_plan().ids)
    text = render_citation(read_citation(new), "methods")
    assert "After synthesis, all stimuli and originals were given the exact luminance histogram" in text
    assert "Willenbockel" in text


def test_pictures_behind_apertures_keep_their_background(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "name: p\npreparation: {size: 24}\nsources: [{file: skimage:brick}, {file: skimage:coffee}]\n"
        "after: [{name: flat_top, edge: 4}]\nconditions: [{id: texture, depth: scale3}]\n"
    )
    store = write_planned_set(tmp_path / "old", tmp_path / "p.yaml")
    match_set(store, tmp_path / "new", SetMatching(luminance="moments", contrast=0.5))
    new = Store.open(tmp_path / "new")
    for record in new.read_records():
        shown = read(new, record.content.file)
        assert (shown[:2, :2] == 128).all()
        assert shown[8:16, 8:16].std() > 1


def test_unfinished_and_matched_sets_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    unfinished = write_set(tmp_path / "half", unfinished=1)
    with pytest.raises(StimgenError, match="1 stimuli are missing"):
        match_set(unfinished, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    match_set(write_set(tmp_path / "old"), tmp_path / "new")
    with pytest.raises(StimgenError, match="not matched again"):
        match_set(Store.open(tmp_path / "new"), tmp_path / "newer")
    (picture,) = sorted((tmp_path / "new" / "images").iterdir())[:1]
    picture.unlink()
    _, commands = repair_set(tmp_path / "new")
    assert "stimgen match SET" in commands[-1]


def test_what_mends_a_matched_set_is_matched_again(tmp_path: Path) -> None:
    match_set(write_set(tmp_path / "old"), tmp_path / "new")
    for folder, told in (("old", f"-o {tmp_path / 'old'}"), ("new", "-o SET, and stimgen match SET -o NEW")):
        store = Store.open(tmp_path / folder)
        assert suggest_evaluations(store, next(iter(store.read_records())).content).endswith(told)
