"""Identities: what changes the id of a stimulus, what does not, and golden ones."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.reading.identity import (
    IDENTITY_PATTERN,
    canonical_json,
    digest,
    identity,
    recipe_identity,
    sha256_file,
)
from stimgen.synthesis.settings import SynthesisSettings

PROTOCOL = """\
name: p
network: vgg19
preparation: {size: 32}
sources:
  - {file: "skimage:brick", id: wall}
  - {file: "skimage:coffee"}
synthesis: {scales: 1}
conditions:
  - id: a
    layers: [relu1_1, pool1]
  - id: b
    depth: pool2
    regions: 2x2
seeds: [1, 2]
"""
USUAL = SynthesisSettings().evaluations
Ids = dict[tuple[str, str, int], str]


def ids(tmp_path: Path, text: str, name: str = "p.yaml") -> Ids:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    plan = make_plan(load_protocol(file))
    return {(s.source.id, s.condition.id, s.seed): s.id for s in plan.stimuli}


def changed(old: str, new: str) -> str:
    assert PROTOCOL.count(old) == 1, old
    return PROTOCOL.replace(old, new)


class TestCanonicalJson:
    def test_is_one_text(self) -> None:
        value = {"b": [1, 2.50, -0.001, 1e300], "a": {"z": None, "é": True, "y": "\n\u2028"}}
        text = '{"a":{"y":"\\n\u2028","z":null,"é":true},"b":[1,2.5,-0.001,1e+300]}'
        assert canonical_json(value) == text.encode()

    @given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers() | st.none() | st.booleans()))
    def test_the_order_of_keys_does_not_matter(self, value: dict[str, object]) -> None:
        again = dict(reversed(value.items()))
        assert canonical_json(again) == canonical_json(value)
        assert digest({"outer": [again]}) == digest({"outer": [value]})

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), [-float("inf")]])
    def test_refuses_what_json_cannot_say(self, value: object) -> None:
        with pytest.raises(ValueError, match="JSON"):
            canonical_json(value)

    def test_tells_a_whole_number_from_a_fraction_and_a_word(self) -> None:
        assert len({canonical_json(value) for value in (1, 1.0, "1", True, [1])}) == 5


def test_identities_are_hashes_of_hashes() -> None:
    recipe = {"b": [1, 2], "a": "x"}
    parts = {key: hashlib.sha256(canonical_json(value)).hexdigest() for key, value in recipe.items()}
    whole = hashlib.sha256(f'{{"a":"{parts["a"]}","b":"{parts["b"]}"}}'.encode()).hexdigest()
    # The first 80 bits, five at a time.
    bits = f"{int(whole[:20], 16):080b}"
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    expected = "".join(letters[int(bits[i : i + 5], 2)] for i in range(0, 80, 5))
    assert recipe_identity(recipe) == identity(parts) == expected
    assert re.fullmatch(IDENTITY_PATTERN, expected)


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256_file(tmp_path / "f") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_golden_ids() -> None:
    stimuli = make_plan(load_protocol("smoke")).stimuli
    assert len(stimuli) == 24
    assert (stimuli[0].name, stimuli[0].id) == GOLDEN_FIRST
    assert (stimuli[-1].name, stimuli[-1].id) == GOLDEN_LAST


GOLDEN_FIRST = ("brick_shallow_s1_iunn7lad", "iunn7lad4rhwa6ax")
GOLDEN_LAST = ("coffee_texform_s4_nqnkigxy", "nqnkigxy7sq3luhf")


def test_an_id_is_that_of_the_recipe_and_all_differ(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PROTOCOL, encoding="utf-8")
    stimuli = make_plan(load_protocol(tmp_path / "p.yaml")).stimuli
    assert [recipe_identity(stimulus.recipe) for stimulus in stimuli] == [s.id for s in stimuli]
    assert len({stimulus.id for stimulus in stimuli}) == 8


SAME = {
    "metadata": changed(
        "name: p", "name: q\ntitle: T\nauthors: [{name: A}]\nlicence: MIT\nversion: '2'\nnotes: n"
    ),
    "comments": "# hello\n" + PROTOCOL + "# bye\n",
    "the array": PROTOCOL + "output: {array: true}\n",
    "snapshots": PROTOCOL + "output: {snapshots: 10}\n",
    "the layout": PROTOCOL + "output: {layout: nested}\n",
    "licence and credit of a source": changed("id: wall", "id: wall, licence: CC0-1.0, credit: somebody"),
    "order of keys": "\n".join(
        [PROTOCOL.split("seeds")[0].replace("name: p\n", ""), "seeds: [1, 2]", "name: p"]
    ),
    "seeds as a range": changed("seeds: [1, 2]", "seeds: {first: 1, count: 2}"),
    "seeds in the conditions": changed("id: a", "id: a\n    seeds: [2, 1]"),
    "order of layers": changed("[relu1_1, pool1]", "[pool1, relu1_1]"),
    "weights that are the usual ones": changed("[relu1_1, pool1]", "{pool1: 0.5, relu1_1: 0.5}"),
    "layers of a depth": changed("depth: pool2", "layers: [relu1_1, pool1, pool2]"),
    "a grid spelt out": changed("regions: 2x2", "regions: {name: grid, rows: 2, columns: 2}"),
    "an objective": changed("    layers: [relu1_1, pool1]", "    objective: [{layers: [relu1_1, pool1]}]"),
    "soft edges that are none": PROTOCOL.replace("2x2", "{rows: 2, columns: 2, overlap: 0.5}")
    + "regions: {overlap: 0.25}\n",
    "evaluations listed": changed("scales: 1", f"scales: 1, evaluations: [{USUAL}]"),
    "scales as they come": changed("scales: 1", "scales: auto"),
    "a side twice": changed("size: 32", "size: [32, 32]"),
    "whole numbers for fractions": changed(
        "scales: 1", "scales: 1, range: {penalty: 10}, optimiser: {tolerance: 0}"
    ),
    "enlarge that does not happen": changed("size: 32", "size: 32, enlarge: true"),
    "a box that is the centre square": changed('coffee"', 'coffee", crop: {box: [100, 0, 400, 400]}'),
    "defaults that are written out": changed(
        "scales: 1",
        f"scales: 1, evaluations: {USUAL}, optimiser: lbfgs, start: {{name: noise, mean: 0.5}}",
    ).replace("vgg19", "{name: vgg19, weights: {name: random, seed: 0}, pooling: average, padding: zeros}")
    + "statistic: {name: gram, centred: true, normalisation: relative}\nregions: 1x1\n",
    "no steps": changed("size: 32", "size: 32, before: [], background: 0.5") + "after: []\n",
    "the usual encoding and bits": PROTOCOL + "output: {encoding: srgb, bits: 8}\n",
    "a precision that is the usual one": changed("scales: 1", "scales: 1, precision: float32"),
    "settings of the protocol said again in every condition": changed(
        "  - id: a", "  - id: a\n    synthesis: {scales: 1}"
    ),
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_what_changes_no_id(tmp_path: Path, text: str) -> None:
    assert ids(tmp_path, text) == ids(tmp_path, PROTOCOL, "original.yaml")


STEPS = PROTOCOL + "after: [{name: luminance, mean: set}, flat_top]\n"
SAME_STEPS = {
    "in the conditions": PROTOCOL.replace(
        "  - id: ", "  - after: [{name: luminance, mean: set}, flat_top]\n    id: "
    ),
    "written out": STEPS.replace("flat_top", "{name: flat_top, shape: circle, diameter: inscribed, edge: 6}"),
    "by their keys": PROTOCOL + "after: [{mean: set}, {shape: circle, edge: 6}]\n",
}


@pytest.mark.parametrize("text", SAME_STEPS.values(), ids=SAME_STEPS)
def test_ways_of_saying_steps_change_no_id(tmp_path: Path, text: str) -> None:
    assert ids(tmp_path, text) == ids(tmp_path, STEPS, "original.yaml")


def test_a_condition_replaces_the_steps(tmp_path: Path) -> None:
    plain, steps = ids(tmp_path, PROTOCOL), ids(tmp_path, STEPS)
    without = ids(tmp_path, STEPS.replace("id: b\n", "id: b\n    after: []\n"))
    assert without == {key: (plain if key[1] == "b" else steps)[key] for key in plain}


def test_another_source_changes_ids_only_where_steps_want_the_mean_of_the_set(tmp_path: Path) -> None:
    more = ("sources:\n", 'sources:\n  - file: "skimage:grass"\n')
    own = STEPS.replace("mean: set", "mean: source")
    assert ids(tmp_path, own).items() <= ids(tmp_path, own.replace(*more)).items()
    before, after = ids(tmp_path, STEPS), ids(tmp_path, STEPS.replace(*more))
    assert not set(before.values()) & set(after.values())


def test_names_change_no_id(tmp_path: Path) -> None:
    before = ids(tmp_path, PROTOCOL)
    source = ids(tmp_path, changed("id: wall", "id: bricks"))
    condition = ids(tmp_path, changed("id: b\n", "id: beta\n"))
    assert list(source.values()) == list(condition.values()) == list(before.values())
    assert list(source) != list(before) != list(condition)


def test_other_sources_conditions_and_seeds_change_no_id(tmp_path: Path) -> None:
    more = changed("seeds: [1, 2]", "  - {id: c, depth: pool3}\nseeds: [3, 2, 1]").replace(
        "sources:\n", 'sources:\n  - file: "skimage:grass"\n'
    )
    before, after = ids(tmp_path, PROTOCOL), ids(tmp_path, more)
    assert before.items() <= after.items()
    assert len(set(after.values())) == len(after) == 27


def test_a_file_that_is_moved_keeps_its_ids(tmp_path: Path) -> None:
    found = []
    for place, name in (("here", "x.png"), ("there", "y.png")):
        (tmp_path / place).mkdir()
        Image.new("RGB", (40, 40), (9, 99, 199)).save(tmp_path / place / name)
        found.append(ids(tmp_path, changed('"skimage:brick"', name), f"{place}/{place}.yaml"))
    assert found[0] == found[1]


def test_weights_that_are_moved_keep_their_ids(tmp_path: Path) -> None:
    text = changed("vgg19", "{weights: {name: file, file: a.pth, sha256: " + "ab" * 32 + "}}")
    moved = text.replace("a.pth", "elsewhere/b.safetensors")
    assert ids(tmp_path, moved) == ids(tmp_path, text)


OTHER = {
    "size": changed("size: 32", "size: 33"),
    "channels": changed("size: 32", "size: 32, channels: grey").replace("brick", "astronaut"),
    "resampling": changed("size: 32", "size: 32, resampling: box"),
    "crop": changed("size: 32", "size: 32, crop: {box: [0, 0, 100, 100]}"),
    "seeds": changed("[1, 2]", "[3, 4]"),
    "layer": changed("relu1_1, pool1", "relu1_1, pool2").replace("depth: pool2", "depth: pool3"),
    "weights": changed("[relu1_1, pool1]", "{relu1_1: 0.5, pool1: 0.4}").replace(
        "depth: pool2", "layers: {pool2: 1}"
    ),
    "regions": changed("2x2", "2x3").replace("pool1]", "pool1]\n    regions: 3x2"),
    "soft edges": changed("2x2", "{rows: 2, columns: 2, overlap: 0.25}").replace(
        "pool1]", "pool1]\n    regions: {rows: 2, overlap: 0.25}"
    ),
    "pooling": changed("vgg19", "{pooling: maximum}"),
    "padding": changed("vgg19", "{padding: circular}"),
    "seed of the weights": changed("vgg19", "{weights: {seed: 1}}"),
    "trained weights": changed("vgg19", "{weights: imagenet}"),
    "weights of one's own": changed("vgg19", "{weights: {name: file, file: a, sha256: " + "ab" * 32 + "}}"),
    "other weights of one's own": changed(
        "vgg19", "{weights: {name: file, file: a, sha256: " + "cd" * 32 + "}}"
    ),
    "not centred": PROTOCOL + "statistic: {centred: false}\n",
    "normalisation": PROTOCOL + "statistic: {normalisation: gatys2015}\n",
    "another normalisation": PROTOCOL + "statistic: {normalisation: gatys2016}\n",
    "network": changed("vgg19", "embedded").replace("depth: pool2", "depth: scale2"),
    "wavelets alone": changed("vgg19", "rectified_wavelets")
    .replace("[relu1_1, pool1]", "[scale1]")
    .replace("depth: pool2", "depth: scale2"),
    "precision": changed("scales: 1", "scales: 1, precision: mixed"),
    "scales": changed("scales: 1", "scales: 2"),
    "evaluations": changed("scales: 1", "scales: 1, evaluations: 1510"),
    "history": changed("scales: 1", "scales: 1, optimiser: {history: 10}"),
    "tolerance": changed("scales: 1", "scales: 1, optimiser: {tolerance: 1e-3}"),
    "mean of the start": changed("scales: 1", "scales: 1, start: {mean: 0.4}"),
    "deviation of the start": changed("scales: 1", "scales: 1, start: {deviation: 0.1}"),
    "picture as the start": changed("scales: 1", "scales: 1, start: {file: 'skimage:coffee'}"),
    "another picture as the start": changed("scales: 1", "scales: 1, start: {file: 'skimage:grass'}"),
    "range penalty": changed("scales: 1", "scales: 1, range: {penalty: 11}"),
    "sigmoid": changed("scales: 1", "scales: 1, range: sigmoid"),
    "hard bounds": changed("scales: 1", "scales: 1, optimiser: lbfgsb, range: bounds"),
    "bounds of the source": changed("scales: 1", "scales: 1, optimiser: lbfgsb, range: {of: source}"),
    "another optimiser": changed("scales: 1", "scales: 1, optimiser: adam"),
    "steps of another length": changed("scales: 1", "scales: 1, optimiser: {step: 0.01}"),
    "free pixels": changed("scales: 1", "scales: 1, range: free"),
    "histogram matching": PROTOCOL + "after: [histogram]\n",
    "a step": PROTOCOL + "after: [{mean: 0.5}]\n",
    "its number": PROTOCOL + "after: [{mean: 0.25}]\n",
    "its word": PROTOCOL + "after: [{mean: source}]\n",
    "another word": PROTOCOL + "after: [{mean: set}]\n",
    "two steps": PROTOCOL + "after: [histogram, {mean: 0.5}]\n",
    "their order": PROTOCOL + "after: [{mean: 0.5}, histogram]\n",
    "a step before": changed("size: 32", "size: 32, before: [{mean: 0.5}]"),
    "the mean of the set": changed("size: 32", "size: 32, before: [{mean: set}]"),
    "a mask": changed("size: 32", "size: 32, mask: 'skimage:*'"),
    "the background": changed("size: 32", "size: 32, background: 0.25"),
    "a canvas": changed("size: 32", "size: 32, canvas: {size: [40, 32]}"),
    "its size": changed("size: 32", "size: 32, canvas: {size: [41, 32]}"),
    "a place": changed("size: 32", "size: 32, canvas: {size: [40, 32], places: [{x: 1}]}"),
    "another place": changed("size: 32", "size: 32, canvas: {size: [40, 40], places: [{y: 1}]}"),
    "its picture's size": changed("size: 32", "size: 32, canvas: {size: [40, 32], places: [{size: 30}]}"),
    "encoding": PROTOCOL + "output: {encoding: linear}\n",
    "bits": PROTOCOL.replace("size: 32", "size: 32, channels: grey") + "output: {bits: 16}\n",
    "sources": changed("brick", "grass").replace("coffee", "astronaut"),
    "weight of a term": changed(
        "layers: [relu1_1, pool1]", "objective: [{layers: [relu1_1, pool1], weight: 2}]"
    ).replace("depth: pool2", "objective: [{depth: pool2, weight: 2}]"),
    "another term": changed(
        "layers: [relu1_1, pool1]", "objective: [{layers: [relu1_1, pool1]}, {depth: pool1}]"
    ).replace("depth: pool2", "objective: [{depth: pool2}, {depth: pool1}]"),
}


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER)
def test_what_changes_every_id(tmp_path: Path, text: str) -> None:
    before, after = ids(tmp_path, PROTOCOL), ids(tmp_path, text)
    assert len(before) == len(after) == 8
    assert not set(before.values()) & set(after.values())


def test_every_change_leads_to_another_id(tmp_path: Path) -> None:
    found = [set(ids(tmp_path, text).values()) for text in (PROTOCOL, *OTHER.values())]
    assert len(set.union(*found)) == 8 * len(found)


def test_another_numerics_is_another_stimulus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids(tmp_path, PROTOCOL)
    monkeypatch.setattr("stimgen.protocol.plan.NUMERICS", 10**6)
    assert not set(before.values()) & set(ids(tmp_path, PROTOCOL).values())
