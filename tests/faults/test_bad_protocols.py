"""Protocols with a mistake: a short message with file and line, what is allowed, the nearest match."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.reading.errors import StimgenError

PROTOCOL = """\
name: p
preparation: {size: 64}
sources:
  - file: "skimage:brick"
  - file: "skimage:coffee"
network:
  weights: random
  pooling: average
synthesis:
  scales: 1
  evaluations: 10
conditions:
  - id: a
    layers:
      - relu1_1
      - pool1
  - id: b
    depth: pool2
    regions: 2x2
seeds:
  first: 1
  count: 2
output:
  array: false
"""
NETWORK = "network:\n  weights: random\n  pooling: average"
SEEDS = "seeds:\n  first: 1\n  count: 2"


def message(tmp_path: Path, text: str) -> str:
    """Return what is said, after checking that it is short, printable and begins with the file."""
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(StimgenError) as caught:
        make_plan(load_protocol(tmp_path / "p.yaml"))
    lines = str(caught.value).split("\n")
    assert len(lines) <= 16
    assert all(line.isprintable() for line in lines)
    assert lines[0].startswith(f"{tmp_path}/p.yaml:")
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_the_protocol_without_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PROTOCOL, encoding="utf-8")
    assert len(make_plan(load_protocol(tmp_path / "p.yaml")).stimuli) == 8


# What is replaced, by what, the line that is to be named, and what is to be said.
MISTAKES = [
    # keys
    ("name: p", "nmae: p", 1, "unknown key 'nmae'; allowed: name, title; did you mean 'name'?"),
    ("size: 64", "sise: 64", 2, "preparation: unknown key 'sise'; did you mean 'size'?"),
    ('  - file: "skimage:coffee"', "  - fiel: x", 5, "sources[1]: unknown key 'fiel'; did you mean 'file'?"),
    ('  - file: "skimage:coffee"', "  - id: x", 5, "sources[1].file: is missing"),
    (
        '"skimage:coffee"',
        '"skimage:coffee"\n    licens: MIT',
        6,
        "sources[1]: unknown key 'licens'; 'licence'?",
    ),
    (
        "  pooling:",
        "  poling:",
        8,
        "network: unknown key 'poling'; allowed: name, weights, pooling; 'pooling'?",
    ),
    ("  evaluations: 10", "  evalutions: 10", 11, "synthesis: unknown key 'evalutions'; 'evaluations'?"),
    ("    depth: pool2", "    dpth: pool2", 18, "conditions[1]: unknown key 'dpth'; did you mean 'depth'?"),
    ("  array: false", "  arrays: false", 24, "output: unknown key 'arrays'; did you mean 'array'?"),
    (
        "  count: 2",
        "  cuont: 2",
        22,
        "seeds: unknown key 'cuont'; allowed: first, count; did you mean 'count'?",
    ),
    ("  - id: b\n", "  - name: b\n", 17, "conditions[1]: unknown key 'name'"),
    ("  - id: b\n    depth", "  - depth", 17, "conditions[1].id: is missing"),
    # metadata
    ("name: p", "name:", 1, "name: should be text"),
    ("name: p", "name: two words", 1, "name: should match pattern"),
    ("name: p", "name: ../../etc", 1, "name: should match pattern"),
    ("name: p", f"name: {'a' * 65}", 1, "name: should match pattern"),
    ("name: p", "name: p\nversion: 1.0", 2, "version: should be text, in quotes if need be, not 1.0"),
    ("name: p", "name: p\ntitle: ''", 2, "title: should have at least 1 character"),
    ("name: p", f"name: p\ntitle: {'a' * 501}", 2, "title: should have at most 500 characters"),
    ("name: p", "name: p\nauthors:\n  - name: A\n    orcid: 123", 4, "authors[0].orcid: should be text"),
    (
        "name: p",
        "name: p\nauthors:\n  - name: A\n    orcid: 1-2-3",
        4,
        "authors[0].orcid: should match pattern",
    ),
    ("name: p", "name: p\nauthors: Ana", 2, "authors: should be a list, not 'Ana'"),
    ("name: p", "name: p\nauthors: [Ana]", 2, "authors[0]: should be a mapping of keys to values, not 'Ana'"),
    # preparation and sources
    ("size: 64", "size: 7", 2, "preparation.size: should be greater than or equal to 8, not 7"),
    ("size: 64", "size: 4097", 2, "preparation.size: should be less than or equal to 4096, not 4097"),
    ("size: 64", "size: -64", 2, "preparation.size: should be greater than or equal to 8, not -64"),
    ("size: 64", 'size: "64"', 2, "preparation.size: should be a valid integer, not '64'"),
    ("size: 64", "size: 64.0", 2, "preparation.size: should be a valid integer, not 64.0"),
    ("size: 64", "size: true", 2, "preparation.size: should be a valid integer, not true"),
    ("size: 64", "size: [64]", 2, "preparation.size[1]: is missing"),
    ("size: 64", "size: [64, 64, 3]", 2, "preparation.size: should be a list of at most 2"),
    ("size: 64", "size: [64, 4]", 2, "preparation.size[1]: should be greater than or equal to 8, not 4"),
    ("size: 64", "size: 600", 4, "would enlarge it; choose a size up to 512"),
    (
        "size: 64",
        "crop: center",
        2,
        "preparation.crop: 'center' is not understood; allowed: centre, none; 'centre'?",
    ),
    ("size: 64", "crop: {box: [0, 0, 64]}", 2, "preparation.crop.box[3]: is missing"),
    (
        "size: 64",
        "crop: {box: [-1, 0, 9, 9]}",
        2,
        "preparation.crop.box[0]: should be greater than or equal to 0",
    ),
    (
        "size: 64",
        "crop: {box: [0, 0, 0, 9]}",
        2,
        "preparation.crop.box[2]: should be greater than or equal to 1",
    ),
    ("size: 64", "crop: {bx: []}", 2, "preparation.crop: unknown key 'bx'; did you mean 'box'?"),
    ("size: 64", "channels: gray", 2, "preparation.channels: 'gray' is not understood; did you mean 'grey'?"),
    (
        "size: 64",
        "resampling: nearest",
        2,
        "'nearest' is not understood; allowed: lanczos, bicubic, bilinear, box",
    ),
    ("size: 64", "enlarge: 1", 2, "preparation.enlarge: should be a valid boolean, not 1"),
    ("size: 64", "enlarge: yes", 2, "preparation.enlarge: should be a valid boolean, not 'yes'"),
    ("{size: 64}", "64", 2, "preparation: should be a mapping of keys to values, not 64"),
    ("skimage:coffee", "skimage:cofee", 5, "scikit-image carries no picture 'cofee'; did you mean 'coffee'?"),
    ('"skimage:coffee"', "nothere.png", 5, "nothere.png: no such image file"),
    ('"skimage:coffee"', "[a.png]", 5, "sources[1].file: should be text"),
    ('"skimage:coffee"', "''", 5, "sources[1].file: should have at least 1 character"),
    ('- file: "skimage:coffee"', "- skimage:coffee", 5, "sources[1]: should be a mapping of keys to values"),
    ('- file: "skimage:coffee"', "-", 5, "sources[1].file: is missing"),
    ('"skimage:coffee"', '"skimage:brick"', 5, "two sources have the id 'brick'"),
    # network
    (NETWORK, "network: vgg_19", 6, "unknown network 'vgg_19'; allowed: a; embedded, pix; mean 'vgg19'?"),
    ("network:", "network:\n  name: vgg_19", 7, "unknown network 'vgg_19'; did you mean 'vgg19'?"),
    (NETWORK, "network: ~", 6, "network: neither the name of a network nor a mapping; allowed: ; embedded"),
    (NETWORK, "network: [vgg19]", 6, "network: neither the name of a network nor a mapping"),
    ("network:", "network:\n  name: [vgg19]", 7, "network: unknown network ['vgg19']"),
    (
        "pooling: average",
        "pooling: max",
        8,
        "network.pooling: 'max' is not understood; average, maximum; 'maximum'?",
    ),
    (
        "pooling: average",
        "padding: 1",
        8,
        "network.padding: 1 is not understood; allowed: zeros, circular, none",
    ),
    ("weights: random", "weights: imagnet", 7, "unknown kind of weights 'imagnet'; did you mean 'imagenet'?"),
    (
        "weights: random",
        "weights: {seed: -1}",
        7,
        "network.weights.seed: should be greater than or equal to 0",
    ),
    (
        "weights: random",
        "weights: {seed: 2147483648}",
        7,
        "network.weights.seed: should be less than 2147483648",
    ),
    ("weights: random", "weights: {name: imagenet, seed: 1}", 7, "network.weights: unknown key 'seed'"),
    (
        "weights: random",
        "weights: file",
        7,
        "network.weights.file: is missing; network.weights.sha256: is missing",
    ),
    (
        "weights: random",
        "weights:\n    name: file\n    file: w.pth\n    sha256: abc",
        10,
        "network.weights.sha256: should match pattern '^[0-9a-f]{64}$', not 'abc'",
    ),
    # synthesis
    ("scales: 1", "scales: 0", 10, "synthesis.scales: should be greater than or equal to 1, not 0"),
    ("scales: 1", "scales: 9", 10, "synthesis.scales: should be less than or equal to 8, not 9"),
    ("scales: 1", "scales: automatic", 10, "synthesis.scales: 'automatic' is not understood; allowed: auto"),
    ("scales: 1", "scales: 8", 13, "condition 'a', source 'brick': ; too small"),
    (
        "evaluations: 10",
        "evaluations: 0",
        11,
        "synthesis.evaluations: should be greater than or equal to 1, not 0",
    ),
    (
        "evaluations: 10",
        "evaluations: 1e3",
        11,
        "synthesis.evaluations: should be a valid integer, not 1000.0",
    ),
    ("evaluations: 10", "evaluations: 1000001", 11, "should be less than or equal to 1000000, not 1000001"),
    ("evaluations: 10", "evaluations: []", 11, "synthesis.evaluations: should be a list of at least 1"),
    (
        "evaluations: 10",
        "evaluations: [1, x]",
        11,
        "synthesis.evaluations[1]: should be a valid integer, not 'x'",
    ),
    ("evaluations: 10", "evaluations: [1, 2]", 13, "`evaluations` lists 2 numbers; 64 x 64"),
    (
        "evaluations: 10",
        "optimiser: adan",
        11,
        "synthesis.optimiser: unknown optimiser 'adan'; allowed: adam, lbfgs, lbfgsb; did you mean 'adam'?",
    ),
    ("evaluations: 10", "optimiser: {history: 0}", 11, "synthesis.optimiser.history: should be greater than"),
    (
        "evaluations: 10",
        "optimiser: {tolerance: 1}",
        11,
        "synthesis.optimiser.tolerance: should be less than 1",
    ),
    (
        "evaluations: 10",
        "start: nois",
        11,
        "unknown start 'nois'; allowed: image, noise; did you mean 'noise'?",
    ),
    ("evaluations: 10", "start: image", 11, "synthesis.start.file: is missing"),
    (
        "evaluations: 10",
        "start: {deviation: 0}",
        11,
        "synthesis.start.deviation: should be greater than 0, not 0",
    ),
    ("evaluations: 10", "start: {mean: 1.5}", 11, "synthesis.start.mean: should be less than or equal to 1"),
    (
        "evaluations: 10",
        "range: {penalty: -1}",
        11,
        "synthesis.range.penalty: should be greater than or equal to 0",
    ),
    (
        "evaluations: 10",
        "range: {penalty: .inf}",
        11,
        "synthesis.range.penalty: should be a finite number, not inf",
    ),
    (
        "evaluations: 10",
        "range: {penalty: .nan}",
        11,
        "synthesis.range.penalty: should be a finite number, not nan",
    ),
    (
        "evaluations: 10",
        "range: {of: unti}",
        11,
        "synthesis.range.of: 'unti'; allowed: unit, source; 'unit'?",
    ),
    (
        "evaluations: 10",
        "range: bounds",
        11,
        "the range 'bounds' needs an optimiser that keeps bounds; 'lbfgs' keeps none; allowed: adam, lbfgsb",
    ),
    # weights
    ("depth: pool2", "layers: {pool1: 0, pool2: 0.0}", 18, "conditions[1]: all weights are zero"),
    (
        "    depth: pool2\n    regions: 2x2",
        "    objective: [{depth: pool2, weight: 0}, {layers: {pool1: 0}}]",
        18,
        "conditions[1]: all weights are zero",
    ),
    # presentation
    ("size: 64}", 'size: 64, mask: "?????.png"}', 2, "no image file matches '?????.png'"),
    ("size: 64}", "size: 64, mask: no.png}", 2, "mask: no.png: no such image file"),
    ("size: 64}", "size: 64, mask: ../no.png}", 2, "mask: the source lies outside of"),
    ("size: 64}", "size: 64, mask: 3}", 2, "preparation.mask: should be text"),
    (
        "size: 64}",
        'size: 64, mask: "skimage:coffee"}',
        2,
        "has 600 x 400 pixels, the photograph 512 x 512",
    ),
    (
        "size: 64}",
        "size: 64, background: 130}",
        2,
        "preparation.background: should be less than or equal to 1",
    ),
    ("size: 64}", "size: 64, before: [histogram]}", 2, "before: 'histogram' compares a synthesised; `after`"),
    (
        "size: 64}",
        "size: 64, before: [blur]}",
        2,
        "preparation.before[0]: unknown step 'blur'; contrast, crop",
    ),
    (
        "size: 64}",
        "size: 64, before: [{box: [0, 0, 65, 64]}]}",
        2,
        "before: step 1, crop: the box [0, 0, 65, 64] does not fit into a picture of 64 x 64",
    ),
    (
        "size: 64}",
        "size: 64, canvas: {size: [60, 90]}}",
        2,
        "canvas: 64 x 64 pixels at x 0, y 0 do not lie on",
    ),
    ("size: 64}", "size: 64, canvas: {places: []}}", 2, "preparation.canvas.size: is missing"),
    (
        'coffee"',
        'coffee"\n    canvas:\n      size: [64, 64]\n      places: [{x: 1}]',
        6,
        "canvas: 64 x 64 pixels at x 1, y 0 do not lie on its 64 x 64",
    ),
    ("seeds:", "after: [histogramm]\nseeds:", 20, "after[0]: unknown step 'histogramm'; 'histogram'?"),
    ("seeds:", "after: histogram\nseeds:", 20, "after: should be a list"),
    (
        "seeds:",
        "after: [{mean: sett}]\nseeds:",
        20,
        "after[0].mean: 'sett' is not understood; allowed: source, set; 'set'?",
    ),
    (
        "seeds:",
        "after: [{diameter: 65}]\nseeds:",
        20,
        "after: source 'brick': step 1, flat_top: an aperture of 65 pixels is larger than the picture",
    ),
    (
        "depth: pool2",
        "depth: pool2\n    after:\n      - histogram\n      - {edge: 33}",
        19,
        "after: source 'brick': step 2, flat_top: an edge of 33 pixels has no room",
    ),
    ("array: false", "encoding: rgb", 24, "output.encoding: 'rgb' is not understood; srgb, linear; 'srgb'?"),
    ("array: false", "bits: 12", 24, "output.bits: 12 is not understood"),
    ("array: false", "bits: 16", 5, "`bits: 16` is for greys; say `channels: grey`"),
    # conditions
    (
        "pool1\n",
        "pool11\n",
        14,
        "vgg19 has no layer 'pool11'; allowed: conv1_1, relu1_1; did you mean 'pool1'?",
    ),
    ("      - relu1_1", "      - relu_1_1", 14, "conditions[0]: vgg19 has no layer 'relu_1_1'; 'relu1_1'?"),
    ("pool1\n", "relu1_1\n", 14, "conditions[0]: name at least one layer, and each once"),
    ("pool1\n", "[pool1]\n", 16, "conditions[0].layers[1]: should be text"),
    ("pool1\n", "pool1\n    depth: pool1\n", 14, "say either `depth` or `layers`"),
    (
        "depth: pool2",
        "depth: pool9",
        18,
        "vgg19 has no depth 'pool9'; allowed: conv1_1; relu1_1; pool1, pool2; 'pool",
    ),
    ("depth: pool2", "depth: conv1_2", 18, "vgg19 has no depth 'conv1_2'"),
    (
        "depth: pool2",
        "network: embedded\n    depth: pool2",
        19,
        "embedded has no depth 'pool2'; allowed: scale1, scale2, scale3, scale4\n; depth of `network: vgg19`",
    ),
    (
        "depth: pool2",
        "depth: scale2",
        18,
        "vgg19 has no depth 'scale2'; it is a depth of `network: embedded` or `network: rectified_wavelets`",
    ),
    (
        "      - pool1\n",
        "      - pool3\n    network: embedded\n",
        14,
        "embedded has no layer 'pool3'; allowed: relu1_1, relu1_2, pool1, scale1; layer of `network: vgg19`",
    ),
    ("depth: pool2", "depth: 2", 18, "conditions[1].depth: should be text, in quotes if need be, not 2"),
    ("    depth: pool2\n", "", 17, "conditions[1]: say either `depth` or `layers`"),
    (
        "depth: pool2",
        "layers: {pool2: -1}",
        18,
        "conditions[1].layers.pool2: should be greater than or equal to 0",
    ),
    (
        "depth: pool2",
        "layers: {pool2: much}",
        18,
        "conditions[1].layers.pool2: should be a valid number, not 'much'",
    ),
    ("depth: pool2", "layers: []", 18, "conditions[1]: name at least one layer"),
    ("depth: pool2", "layers: {}", 18, "conditions[1]: name at least one layer"),
    ("depth: pool2", "layers: pool2", 18, "conditions[1].layers: should be"),
    ("depth: pool2", "objective: []", 18, "conditions[1].objective: should be a list of at least 1"),
    (
        "depth: pool2",
        "objective: {depth: pool2}",
        18,
        "conditions[1].objective: should be a list, not a mapping",
    ),
    (
        "depth: pool2",
        "objective:\n      - depth: pol2",
        19,
        "objective[0]: vgg19 has no depth 'pol2'; 'pool2'?",
    ),
    (
        "depth: pool2",
        "objective:\n      - {depth: pool1,\n         weight: -1}",
        20,
        "objective[0].weight: should be",
    ),
    (
        "depth: pool2",
        "depth: pool2\n    objective: [{depth: pool2}]",
        19,
        "say either `objective`, or `depth`",
    ),
    ("2x2", "2by2", 19, "unknown layout of regions '2by2'; allowed: grid"),
    ("2x2", "0x2", 19, "regions: neither the name of a layout of regions nor a mapping"),
    ("2x2", "00x2", 19, "conditions[1].regions: should be greater than or equal to 1, not 0"),
    ("2x2", "65x2", 19, "conditions[1].regions: should be less than or equal to 64, not 65"),
    (
        "2x2",
        "{rows: 2, collumns: 2}",
        19,
        "conditions[1].regions: unknown key 'collumns'; did you mean 'columns'?",
    ),
    (
        "2x2",
        "{rows: 2, overlap: 2}",
        19,
        "conditions[1].regions.overlap: should be less than or equal to 1, not 2",
    ),
    ("2x2", "64x64", 17, "condition 'b', source 'brick'; 64 pooling regions; the smallest is 128 pixels"),
    ("2x2", "2x2\n    statistic: gramm", 20, "unknown statistic 'gramm'; did you mean 'gram'?"),
    (
        "2x2",
        "2x2\n    statistic: {normalisation: gatys}",
        20,
        "'gatys' is not understood; did you mean 'gatys20",
    ),
    (
        "2x2",
        "2x2\n    statistic: {name: sliced_wasserstein, redraw: true}",
        17,
        "'lbfgs' compares evaluations; write `optimiser: adam`, or `redraw: false`",
    ),
    (
        "2x2",
        "2x2\n    statistic: {name: sliced_wasserstein, redraw: true}\n    synthesis: {optimiser: lbfgsb}",
        21,
        "sliced_wasserstein with `redraw: true` is another function at every evaluation; 'lbfgsb' compares",
    ),
    (
        "2x2",
        "2x2\n    network: {weights: {seed: x}}",
        20,
        "network.weights.seed: should be a valid integer, not 'x'",
    ),
    ("id: b\n", "id: A\n", 12, "two conditions have the id 'A'"),
    ("id: b\n", "id: ''\n", 17, "conditions[1].id: should match pattern"),
    ("id: b\n", "id: 2\n", 17, "conditions[1].id: should be text, in quotes if need be, not 2"),
    # seeds and output
    ("first: 1", "first: -1", 21, "seeds.first: should be greater than or equal to 0, not -1"),
    ("first: 1", f"first: {2**53}", 21, "seeds.first: should be less than or equal to 9007199254740991"),
    ("first: 1", f"first: {2**53 - 1}", 21, "seeds: the last seed is beyond 9007199254740991"),
    ("first: 1", 'first: "1"', 21, "seeds.first: should be a valid integer, not '1'"),
    ("count: 2", "count: 0", 22, "seeds.count: should be greater than or equal to 1, not 0"),
    ("count: 2", "count: 1000001", 22, "seeds.count: should be less than or equal to 1000000, not 1000001"),
    (SEEDS, "seeds: []", 20, "seeds: should be a list of at least 1, not a list of 0"),
    (SEEDS, "seeds: [1,\n  1.5]", 21, "seeds[1]: should be a valid integer, not 1.5"),
    (SEEDS, "seeds: 5", 20, "seeds: should be a list, not 5"),
    ("array: false", "layout: deep", 24, "output.layout: 'deep' is not understood; allowed: flat, nested"),
    (
        "output:\n  array: false",
        "output: png",
        23,
        "output: should be a mapping of keys to values, not 'png'",
    ),
    # the whole
    (PROTOCOL, "", None, "the file is empty"),
    (PROTOCOL, "- a\n- b\n", 1, "a protocol is a mapping of keys to values"),
    (PROTOCOL, "just words\n", 1, "a protocol is a mapping of keys to values"),
    (PROTOCOL, "{}\n", 1, "name: is missing; sources: is missing; conditions: is missing"),
    ("name: p\n", "name: p\nname: q\n", 2, "the key 'name' stands twice"),
    ("weights: random", "weights: &w random", 7, "anchors and aliases"),
    ("depth: pool2", "depth: *w", 18, "anchors and aliases"),
    ("depth: pool2", "depth: !!python/object/apply:os.getcwd []", 18, "the tag"),
    ("depth: pool2", "depth: 'pool2", 25, "not valid YAML: while scanning a quoted scalar"),
    ("depth: pool2", 'depth: "\\x1b]0;owned\\x07"', 18, "the character #x001b is not allowed"),
]


@pytest.mark.parametrize(("old", "new", "line", "told"), MISTAKES, ids=[f"{m[1][:40]!r}" for m in MISTAKES])
def test_a_mistake(tmp_path: Path, old: str, new: str, line: int | None, told: str) -> None:
    assert PROTOCOL.count(old) == 1, "the test replaces one place"
    found = message(tmp_path, PROTOCOL.replace(old, new))
    place = f"p.yaml:{line}: " if line else "p.yaml: "
    assert found.startswith(place)
    for part in told.split("; "):
        assert part in found


class TestSeveral:
    def test_are_shown_together_in_their_order(self, tmp_path: Path) -> None:
        text = PROTOCOL.replace("array: false", "array: 1").replace("name: p", "name: a b")
        text = text.replace("depth: pool2", "depth: pool9").replace("count: 2", "count: none")
        found = message(tmp_path, text)
        assert re.findall(r"^p\.yaml:(\d+): ", found, re.MULTILINE) == ["1", "18", "22", "24"]

    def test_a_mistake_that_is_handed_down_is_shown_once_and_where_it_stands(self, tmp_path: Path) -> None:
        for old, new, line in (
            ("  pooling: average", "  pooling: max", 8),
            ("  evaluations: 10", "  evaluations: 0", 11),
            ("size: 64", "size: 1", 2),
            (NETWORK, "network:", 6),
        ):
            found = message(tmp_path, PROTOCOL.replace(old, new))
            assert re.findall(r"p\.yaml:(\d+): ", found) == [str(line)]

    def test_a_hundred_mistakes_fit_on_a_screen(self, tmp_path: Path) -> None:
        more = "".join(f"  - id: c{i}\n    layers: [rlu{i}_1]\n" for i in range(100))
        found = message(tmp_path, PROTOCOL.replace("seeds:", f"{more}seeds:"))
        assert found.count("allowed: ") == 1
        assert re.search(r"\n\.\.\. and 9\d more$", found)


class TestHostileText:
    @pytest.mark.parametrize("word", ["\u202epng", "\u200b", "\ufeff", "\u2028", "\U000e0001"])
    def test_invisible_characters_are_written_out(self, tmp_path: Path, word: str) -> None:
        found = message(tmp_path, PROTOCOL.replace("depth: pool2", f'depth: "x{word}"'))
        assert word not in found
        assert ascii(word)[1:-1] in found

    def test_a_long_value_is_cut(self, tmp_path: Path) -> None:
        for old in ("depth: pool2", "pooling: average", "network:"):
            found = message(tmp_path, PROTOCOL.replace(old, old.split(":")[0] + ": " + "x" * 900_000))
            assert len(found) < 2000

    def test_a_long_key_is_cut(self, tmp_path: Path) -> None:
        assert len(message(tmp_path, PROTOCOL + "x" * 1000 + ": 1\n")) < 2000

    def test_braces_and_percents_are_only_letters(self, tmp_path: Path) -> None:
        for word in ("{message}", "{0}", "%s", "{", "%(name)s"):
            assert f"'{word}'" in message(tmp_path, PROTOCOL.replace("depth: pool2", f"depth: '{word}'"))
            assert f"'{word}'" in message(tmp_path, PROTOCOL + f"'{word}': 1\n")
