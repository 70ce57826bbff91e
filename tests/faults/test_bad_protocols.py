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


# What is replaced, by what, the line that is to be named, and what the message must contain: the key, the
# value given, what is allowed, the nearest match. Its sentences are free.
MISTAKES = [
    # keys
    ("name: p", "nmae: p", 1, ("'nmae'", "name, title", "'name'")),
    ("size: 64", "sise: 64", 2, ("preparation", "'sise'", "'size'")),
    ('  - file: "skimage:coffee"', "  - fiel: x", 5, ("sources[1]", "'fiel'", "'file'")),
    ('  - file: "skimage:coffee"', "  - id: x", 5, ("sources[1].file",)),
    ('"skimage:coffee"', '"skimage:coffee"\n    licens: MIT', 6, ("sources[1]", "'licens'", "'licence'")),
    ("  pooling:", "  poling:", 8, ("network", "'poling'", "name, weights, pooling", "'pooling'")),
    ("  evaluations: 10", "  evalutions: 10", 11, ("synthesis", "'evalutions'", "'evaluations'")),
    ("    depth: pool2", "    dpth: pool2", 18, ("conditions[1]", "'dpth'", "'depth'")),
    ("  array: false", "  arrays: false", 24, ("output", "'arrays'", "'array'")),
    ("  count: 2", "  cuont: 2", 22, ("seeds", "'cuont'", "first, count", "'count'")),
    ("  - id: b\n", "  - name: b\n", 17, ("conditions[1]", "'name'")),
    ("  - id: b\n    depth", "  - depth", 17, ("conditions[1].id",)),
    # metadata
    ("name: p", "name:", 1, ("name", "text")),
    ("name: p", "name: two words", 1, ("name", "'two words'")),
    ("name: p", "name: ../../etc", 1, ("name", "'../../etc'")),
    ("name: p", f"name: {'a' * 65}", 1, ("name", "'aaa")),
    ("name: p", "name: p\nversion: 1.0", 2, ("version", "1.0")),
    ("name: p", "name: p\ntitle: ''", 2, ("title", "1")),
    ("name: p", f"name: p\ntitle: {'a' * 501}", 2, ("title", "500")),
    ("name: p", "name: p\nauthors:\n  - name: A\n    orcid: 123", 4, ("authors[0].orcid", "text")),
    ("name: p", "name: p\nauthors:\n  - name: A\n    orcid: 1-2-3", 4, ("authors[0].orcid", "'1-2-3'")),
    ("name: p", "name: p\nauthors: Ana", 2, ("authors", "'Ana'")),
    ("name: p", "name: p\nauthors: [Ana]", 2, ("authors[0]", "'Ana'")),
    # preparation and sources
    ("size: 64", "size: 7", 2, ("preparation.size", "8", "7")),
    ("size: 64", "size: 4097", 2, ("preparation.size", "4096", "4097")),
    ("size: 64", "size: -64", 2, ("preparation.size", "8", "-64")),
    ("size: 64", 'size: "64"', 2, ("preparation.size", "'64'")),
    ("size: 64", "size: 64.0", 2, ("preparation.size", "64.0")),
    ("size: 64", "size: true", 2, ("preparation.size", "true")),
    ("size: 64", "size: [64]", 2, ("preparation.size[1]",)),
    ("size: 64", "size: [64, 64, 3]", 2, ("preparation.size", "2")),
    ("size: 64", "size: [64, 4]", 2, ("preparation.size[1]", "8", "4")),
    ("size: 64", "size: 600", 4, ("512",)),
    ("size: 64", "crop: center", 2, ("preparation.crop", "'center'", "centre, none", "'centre'")),
    ("size: 64", "crop: {box: [0, 0, 64]}", 2, ("preparation.crop.box[3]",)),
    ("size: 64", "crop: {box: [-1, 0, 9, 9]}", 2, ("preparation.crop.box[0]", "0")),
    ("size: 64", "crop: {box: [0, 0, 0, 9]}", 2, ("preparation.crop.box[2]", "1")),
    ("size: 64", "crop: {bx: []}", 2, ("preparation.crop", "'bx'", "'box'")),
    ("size: 64", "channels: gray", 2, ("preparation.channels", "'gray'", "'grey'")),
    ("size: 64", "resampling: nearest", 2, ("'nearest'", "lanczos, bicubic, bilinear, box")),
    ("size: 64", "enlarge: 1", 2, ("preparation.enlarge", "1")),
    ("size: 64", "enlarge: yes", 2, ("preparation.enlarge", "'yes'")),
    ("{size: 64}", "64", 2, ("preparation", "64")),
    ("skimage:coffee", "skimage:cofee", 5, ("'cofee'", "'coffee'")),
    ('"skimage:coffee"', "nothere.png", 5, ("nothere.png",)),
    ('"skimage:coffee"', "[a.png]", 5, ("sources[1].file", "text")),
    ('"skimage:coffee"', "''", 5, ("sources[1].file", "1")),
    ('- file: "skimage:coffee"', "- skimage:coffee", 5, ("sources[1]", "mapping")),
    ('- file: "skimage:coffee"', "-", 5, ("sources[1].file",)),
    ('"skimage:coffee"', '"skimage:brick"', 5, ("'brick'",)),
    # network
    (NETWORK, "network: vgg_19", 6, ("'vgg_19'", "embedded", "'vgg19'")),
    ("network:", "network:\n  name: vgg_19", 7, ("'vgg_19'", "'vgg19'")),
    (NETWORK, "network: ~", 6, ("network", "mapping", "embedded")),
    (NETWORK, "network: [vgg19]", 6, ("network", "mapping")),
    ("network:", "network:\n  name: [vgg19]", 7, ("network", "['vgg19']")),
    ("pooling: average", "pooling: max", 8, ("network.pooling", "'max'", "average, maximum", "'maximum'")),
    ("pooling: average", "padding: 1", 8, ("network.padding", "1", "zeros, circular, none")),
    ("weights: random", "weights: imagnet", 7, ("'imagnet'", "'imagenet'")),
    ("weights: random", "weights: {seed: -1}", 7, ("network.weights.seed", "0")),
    ("weights: random", "weights: {seed: 2147483648}", 7, ("network.weights.seed", "2147483648")),
    ("weights: random", "weights: {name: imagenet, seed: 1}", 7, ("network.weights", "'seed'")),
    ("weights: random", "weights: file", 7, ("network.weights.file", "network.weights.sha256")),
    (
        "weights: random",
        "weights:\n    name: file\n    file: w.pth\n    sha256: abc",
        10,
        ("network.weights.sha256", "'^[0-9a-f]{64}$'", "'abc'"),
    ),
    # synthesis
    ("scales: 1", "scales: 0", 10, ("synthesis.scales", "1", "0")),
    ("scales: 1", "scales: 9", 10, ("synthesis.scales", "8", "9")),
    ("scales: 1", "scales: automatic", 10, ("synthesis.scales", "'automatic'", "auto")),
    ("scales: 1", "scales: 8", 13, ("'a'", "'brick'")),
    ("evaluations: 10", "evaluations: 0", 11, ("synthesis.evaluations", "1", "0")),
    ("evaluations: 10", "evaluations: 1e3", 11, ("synthesis.evaluations", "1000.0")),
    ("evaluations: 10", "evaluations: 1000001", 11, ("1000000", "1000001")),
    ("evaluations: 10", "evaluations: []", 11, ("synthesis.evaluations", "1")),
    ("evaluations: 10", "evaluations: [1, x]", 11, ("synthesis.evaluations[1]", "'x'")),
    ("evaluations: 10", "evaluations: [1, 2]", 13, ("`evaluations`", "2", "64 x 64")),
    (
        "evaluations: 10",
        "optimiser: adan",
        11,
        ("synthesis.optimiser", "'adan'", "adam, gradient, lbfgs, lbfgsb", "'adam'"),
    ),
    ("evaluations: 10", "optimiser: {history: 0}", 11, ("synthesis.optimiser.history", "0")),
    ("evaluations: 10", "optimiser: {tolerance: 1}", 11, ("synthesis.optimiser.tolerance", "1")),
    ("evaluations: 10", "start: nois", 11, ("'nois'", "image, noise", "'noise'")),
    ("evaluations: 10", "start: image", 11, ("synthesis.start.file",)),
    ("evaluations: 10", "start: {deviation: 0}", 11, ("synthesis.start.deviation", "0")),
    ("evaluations: 10", "start: {mean: 1.5}", 11, ("synthesis.start.mean", "1")),
    ("evaluations: 10", "range: {penalty: -1}", 11, ("synthesis.range.penalty", "0")),
    ("evaluations: 10", "range: {penalty: .inf}", 11, ("synthesis.range.penalty", "inf")),
    ("evaluations: 10", "range: {penalty: .nan}", 11, ("synthesis.range.penalty", "nan")),
    ("evaluations: 10", "range: {of: unti}", 11, ("synthesis.range.of", "'unti'", "unit, source", "'unit'")),
    ("evaluations: 10", "range: bounds", 11, ("'bounds'", "'lbfgs'", "adam, gradient, lbfgsb")),
    # weights
    ("depth: pool2", "layers: {pool1: 0, pool2: 0.0}", 18, ("conditions[1]", "zero")),
    (
        "    depth: pool2\n    regions: 2x2",
        "    objective: [{depth: pool2, weight: 0}, {layers: {pool1: 0}}]",
        18,
        ("conditions[1]", "zero"),
    ),
    # presentation
    ("size: 64}", 'size: 64, mask: "?????.png"}', 2, ("'?????.png'",)),
    ("size: 64}", "size: 64, mask: no.png}", 2, ("mask", "no.png")),
    ("size: 64}", "size: 64, mask: ../no.png}", 2, ("mask", "outside")),
    ("size: 64}", "size: 64, mask: 3}", 2, ("preparation.mask", "text")),
    ("size: 64}", 'size: 64, mask: "skimage:coffee"}', 2, ("600 x 400", "512 x 512")),
    ("size: 64}", "size: 64, background: 130}", 2, ("preparation.background", "1")),
    ("size: 64}", "size: 64, before: [histogram]}", 2, ("before", "'histogram'", "`after`")),
    ("size: 64}", "size: 64, before: [blur]}", 2, ("preparation.before[0]", "'blur'", "contrast, crop")),
    (
        "size: 64}",
        "size: 64, before: [{box: [0, 0, 65, 64]}]}",
        2,
        ("before", "1", "[0, 0, 65, 64]", "64 x 64"),
    ),
    ("size: 64}", "size: 64, canvas: {size: [60, 90]}}", 2, ("canvas", "64 x 64", "0")),
    ("size: 64}", "size: 64, canvas: {places: []}}", 2, ("preparation.canvas.size",)),
    (
        'coffee"',
        'coffee"\n    canvas:\n      size: [64, 64]\n      places: [{x: 1}]',
        6,
        ("canvas", "64 x 64", "1", "0"),
    ),
    ("seeds:", "after: [histogramm]\nseeds:", 20, ("after[0]", "'histogramm'", "'histogram'")),
    ("seeds:", "after: histogram\nseeds:", 20, ("after", "list")),
    ("seeds:", "after: [{mean: sett}]\nseeds:", 20, ("after[0].mean", "'sett'", "source, set", "'set'")),
    ("seeds:", "after: [{diameter: 65}]\nseeds:", 20, ("after", "'brick'", "1", "65")),
    (
        "depth: pool2",
        "depth: pool2\n    after:\n      - histogram\n      - {edge: 33}",
        19,
        ("after", "'brick'", "2", "33"),
    ),
    ("array: false", "encoding: rgb", 24, ("output.encoding", "'rgb'", "srgb, linear", "'srgb'")),
    ("array: false", "bits: 12", 24, ("output.bits", "12")),
    ("array: false", "bits: 16", 5, ("`bits: 16`", "`channels: grey`")),
    # conditions
    ("pool1\n", "pool11\n", 14, ("'pool11'", "vgg19", "conv1_1, relu1_1", "'pool1'")),
    ("      - relu1_1", "      - relu_1_1", 14, ("conditions[0]", "'relu_1_1'", "vgg19", "'relu1_1'")),
    ("pool1\n", "relu1_1\n", 14, ("conditions[0]", "layer")),
    ("pool1\n", "[pool1]\n", 16, ("conditions[0].layers[1]", "text")),
    ("pool1\n", "pool1\n    depth: pool1\n", 14, ("`depth`", "`layers`")),
    ("depth: pool2", "depth: pool9", 18, ("'pool9'", "vgg19", "conv1_1", "relu1_1", "pool1, pool2")),
    ("depth: pool2", "depth: conv1_2", 18, ("'conv1_2'", "vgg19")),
    (
        "depth: pool2",
        "network: embedded\n    depth: pool2",
        19,
        ("'pool2'", "scale1, scale2, scale3, scale4", "`network: vgg19`"),
    ),
    (
        "depth: pool2",
        "depth: scale2",
        18,
        ("'scale2'", "vgg19", "`network: embedded`", "`network: rectified_wavelets`"),
    ),
    (
        "      - pool1\n",
        "      - pool3\n    network: embedded\n",
        14,
        ("'pool3'", "relu1_1, relu1_2, pool1, scale1", "`network: vgg19`"),
    ),
    ("depth: pool2", "depth: 2", 18, ("conditions[1].depth", "2")),
    ("    depth: pool2\n", "", 17, ("conditions[1]", "`depth`", "`layers`")),
    ("depth: pool2", "layers: {pool2: -1}", 18, ("conditions[1].layers.pool2", "0")),
    ("depth: pool2", "layers: {pool2: much}", 18, ("conditions[1].layers.pool2", "'much'")),
    ("depth: pool2", "layers: []", 18, ("conditions[1]", "layer")),
    ("depth: pool2", "layers: {}", 18, ("conditions[1]", "layer")),
    ("depth: pool2", "layers: pool2", 18, ("conditions[1].layers", "pool2")),
    ("depth: pool2", "objective: []", 18, ("conditions[1].objective", "1")),
    ("depth: pool2", "objective: {depth: pool2}", 18, ("conditions[1].objective", "list")),
    ("depth: pool2", "objective:\n      - depth: pol2", 19, ("objective[0]", "'pol2'", "vgg19", "'pool2'")),
    (
        "depth: pool2",
        "objective:\n      - {depth: pool1,\n         weight: -1}",
        20,
        ("objective[0].weight", "0"),
    ),
    ("depth: pool2", "depth: pool2\n    objective: [{depth: pool2}]", 19, ("`objective`", "`depth`")),
    ("2x2", "2by2", 19, ("'2by2'", "grid")),
    ("2x2", "0x2", 19, ("regions", "ROWSxCOLUMNS")),
    ("2x2", "00x2", 19, ("conditions[1].regions", "1", "0")),
    ("2x2", "65x2", 19, ("conditions[1].regions", "64", "65")),
    ("2x2", "{rows: 2, collumns: 2}", 19, ("conditions[1].regions", "'collumns'", "'columns'")),
    ("2x2", "{rows: 2, overlap: 2}", 19, ("conditions[1].regions.overlap", "1", "2")),
    ("2x2", "64x64", 17, ("'b'", "'brick'", "64", "128")),
    ("2x2", "2x2\n    statistic: gramm", 20, ("'gramm'", "'gram'")),
    ("2x2", "2x2\n    statistic: {normalisation: gatys}", 20, ("'gatys'", "gatys2015, gatys2016")),
    (
        "2x2",
        "2x2\n    statistic: {name: sliced_wasserstein, redraw: true}",
        17,
        ("'lbfgs'", "`optimiser: adam`", "`redraw: false`"),
    ),
    (
        "2x2",
        "2x2\n    statistic: {name: sliced_wasserstein, redraw: true}\n    synthesis: {optimiser: lbfgsb}",
        21,
        ("`redraw: true`", "'lbfgsb'"),
    ),
    ("2x2", "2x2\n    network: {weights: {seed: x}}", 20, ("network.weights.seed", "'x'")),
    ("id: b\n", "id: A\n", 12, ("'A'",)),
    ("id: b\n", "id: ''\n", 17, ("conditions[1].id", "''")),
    ("id: b\n", "id: 2\n", 17, ("conditions[1].id", "2")),
    # seeds and output
    ("first: 1", "first: -1", 21, ("seeds.first", "0", "-1")),
    ("first: 1", f"first: {2**53}", 21, ("seeds.first", "9007199254740991")),
    ("first: 1", f"first: {2**53 - 1}", 21, ("seeds", "9007199254740991")),
    ("first: 1", 'first: "1"', 21, ("seeds.first", "'1'")),
    ("count: 2", "count: 0", 22, ("seeds.count", "1", "0")),
    ("count: 2", "count: 1000001", 22, ("seeds.count", "1000000", "1000001")),
    (SEEDS, "seeds: []", 20, ("seeds", "1", "0")),
    (SEEDS, "seeds: [1,\n  1.5]", 21, ("seeds[1]", "1.5")),
    (SEEDS, "seeds: 5", 20, ("seeds", "5")),
    ("array: false", "layout: deep", 24, ("output.layout", "'deep'", "flat, nested")),
    ("output:\n  array: false", "output: png", 23, ("output", "'png'")),
    # the whole
    (PROTOCOL, "", None, ("empty",)),
    (PROTOCOL, "- a\n- b\n", 1, ("mapping",)),
    (PROTOCOL, "just words\n", 1, ("mapping",)),
    (PROTOCOL, "{}\n", 1, ("name", "sources", "conditions")),
    ("name: p\n", "name: p\nname: q\n", 2, ("'name'",)),
    ("weights: random", "weights: &w random", 7, ("alias",)),
    ("depth: pool2", "depth: *w", 18, ("alias",)),
    ("depth: pool2", "depth: !!python/object/apply:os.getcwd []", 18, ("tag",)),
    ("depth: pool2", "depth: 'pool2", 25, ("YAML",)),
    ("depth: pool2", 'depth: "\\x1b]0;owned\\x07"', 18, ("#x001b",)),
]


@pytest.mark.parametrize(("old", "new", "line", "parts"), MISTAKES, ids=[f"{m[1][:40]!r}" for m in MISTAKES])
def test_a_mistake(tmp_path: Path, old: str, new: str, line: int | None, parts: tuple[str, ...]) -> None:
    assert PROTOCOL.count(old) == 1, "the test replaces one place"
    found = message(tmp_path, PROTOCOL.replace(old, new))
    place = f"p.yaml:{line}: " if line else "p.yaml: "
    assert found.startswith(place)
    for part in parts:
        # A number must stand by itself: 8 is not found in 4,801.
        before = r"(?<![\w.])" if part[0].isdigit() else ""
        after = r"(?![\w.,]*\d)" if part[-1].isdigit() else ""
        assert re.search(before + re.escape(part) + after, found.removeprefix(place)), part


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
