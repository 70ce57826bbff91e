"""What a protocol says: shipped ones, defaults handed down and overridden, short ways of writing."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import stimgen
from stimgen.networks.embedded import Embedded
from stimgen.networks.rectified_wavelets import RectifiedWavelets
from stimgen.networks.vgg19 import Vgg19
from stimgen.networks.weights.file import FileWeights
from stimgen.networks.weights.imagenet import ImagenetWeights
from stimgen.networks.weights.random import RandomWeights
from stimgen.protocol.defaults import apply_defaults, merge_settings
from stimgen.protocol.load import LoadedProtocol, load_protocol
from stimgen.protocol.schema import Condition, Protocol
from stimgen.reading.errors import StimgenError
from stimgen.reading.shipped import PROTOCOLS, read_title
from stimgen.statistics.gram import Gram
from stimgen.statistics.regions.grid import Grid
from stimgen.synthesis.starts.image import ImageStart
from stimgen.synthesis.starts.noise import NormalNoise
from stimgen.workflow.schema import format_protocol_schema

ROOT = Path(__file__).resolve().parents[2]
HEAD = 'name: p\nsources:\n  - file: "skimage:brick"\n'


def load(tmp_path: Path, text: str) -> LoadedProtocol:
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    return load_protocol(tmp_path / "p.yaml")


def condition(tmp_path: Path, shared: str, own: str) -> Condition:
    """Return the only condition of a protocol with `shared` settings and `own` ones."""
    loaded = load(tmp_path, f"{HEAD}{shared}\nconditions:\n  - id: a\n    {own}\n")
    return loaded.protocol.conditions[0]


@cache
def schema_validator() -> jsonschema.Draft202012Validator:
    """Return a validator for the schema of protocols, which is a valid schema itself."""
    schema = json.loads(format_protocol_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class TestShipped:
    @pytest.mark.parametrize("name", PROTOCOLS.files())
    def test_is_found_by_its_name(self, name: str) -> None:
        loaded = load_protocol(name)
        assert loaded.protocol.name == name == loaded.document.file.stem
        assert loaded.folder.is_relative_to(ROOT / "protocols")
        assert loaded.protocol.title == read_title(loaded.document.file) != ""
        assert stimgen.load(loaded.document.file).protocol == loaded.protocol

    @pytest.mark.parametrize("name", PROTOCOLS.files())
    def test_its_first_line_points_an_editor_to_the_schema(self, name: str) -> None:
        file = PROTOCOLS.files()[name]
        first = file.read_text(encoding="utf-8").split("\n")[0]
        mark = "# yaml-language-server: $schema="
        assert first.startswith(mark)
        assert (
            file.parent / first.removeprefix(mark)
        ).resolve() == ROOT / "protocols" / "protocol.schema.json"

    @pytest.mark.parametrize("name", PROTOCOLS.files())
    def test_is_what_the_schema_describes(self, name: str) -> None:
        data: Any = load_protocol(name).document.data
        schema_validator().validate(data)
        for change in ({"nmae": 1}, {"conditions": []}, {"seeds": ["1"]}, {"regions": "two"}, {"network": 3}):
            assert not schema_validator().is_valid(data | change)

    def test_quickstart_and_smoke_are_there(self) -> None:
        assert {"quickstart", "smoke"} <= PROTOCOLS.files().keys()

    def test_those_of_a_wheel_are_found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = tmp_path / "stimgen" / "shipped_protocols" / "stimuli" / "papers"
        folder.mkdir(parents=True)
        (folder / "mine.yaml").write_text(HEAD + "conditions: [{id: a, layers: [pool1]}]\n", encoding="utf-8")
        monkeypatch.setattr(
            "stimgen.reading.shipped.__file__", str(tmp_path / "stimgen" / "reading" / "shipped.py")
        )
        assert PROTOCOLS.files() == {"mine": folder / "mine.yaml"}
        assert load_protocol("mine").protocol.name == "p"


class TestFinding:
    @pytest.mark.parametrize(
        "name", ["qickstart", "no/such/place", "", ".", "quickstart.yml.txt", "a" * 5000]
    )
    def test_a_name_that_is_none(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(StimgenError, match="there is no protocol") as caught:
            PROTOCOLS.find(name)
        assert ", quickstart, scene_regions, smoke\n" in str(caught.value)

    def test_the_nearest_name_is_named(self) -> None:
        with pytest.raises(StimgenError, match="did you mean 'quickstart'"):
            PROTOCOLS.find("qickstart")

    def test_a_file_of_any_name_comes_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("smoke").write_text("x")
        assert PROTOCOLS.find("smoke") == Path("smoke")

    def test_a_missing_yaml_file_is_not_taken_for_a_name(self) -> None:
        with pytest.raises(StimgenError, match=r"^nothere/smoke\.yaml: no such file$"):
            load_protocol("nothere/smoke.yaml")

    def test_the_hash_is_that_of_the_text(self, tmp_path: Path) -> None:
        text = HEAD + "conditions: [{id: a, layers: [pool1]}]\n"
        assert load(tmp_path, text).sha256 != load(tmp_path, text + "#").sha256
        assert len(load(tmp_path, text).sha256) == 64


class TestDefaults:
    def test_of_what_is_measured(self, tmp_path: Path) -> None:
        found = condition(tmp_path, "", "depth: scale2")
        (term,) = found.resolved_method.terms
        assert found.network == term.network == Embedded(scales=4, seed=0)
        assert term.statistic == Gram(centred=True, normalisation="relative")
        assert (term.regions, term.weight) == (Grid(rows=1, columns=1), 1.0)

    @pytest.mark.parametrize(
        ("written", "network"),
        [
            ("{scales: 3}", Embedded(scales=3)),
            ("{seed: 3}", Embedded(seed=3)),
            ("{orientations: 6}", RectifiedWavelets(orientations=6)),
            ("{scales: 3, phases: 2}", RectifiedWavelets(scales=3, phases=2)),
            ("{padding: circular}", Vgg19(padding="circular")),
            ("{weights: {seed: 3}}", Vgg19(weights={"seed": 3})),
            ("{weights: imagenet, pooling: maximum}", Vgg19(weights="imagenet", pooling="maximum")),
            ("vgg19", Vgg19()),
        ],
    )
    def test_a_network_without_a_name_is_that_of_its_keys(
        self, tmp_path: Path, written: str, network: object
    ) -> None:
        layer = "relu1_1" if isinstance(network, Vgg19) else "scale1"
        assert condition(tmp_path, f"network: {written}", f"layers: [{layer}]").network == network


class TestHandedDown:
    def test_all_settings_reach_a_condition_that_says_nothing(self, tmp_path: Path) -> None:
        found = condition(
            tmp_path,
            "network: {pooling: maximum}\nstatistic: {centred: true}\nregions: 4x3\n"
            "synthesis: {evaluations: 7, optimiser: {history: 3}}",
            "layers: [pool1]",
        )
        (term,) = found.resolved_method.terms
        assert term.network.pooling == "maximum"
        assert term.statistic == Gram(centred=True)
        assert term.regions == Grid(rows=4, columns=3)
        assert found.resolved_method.synthesis.evaluations == 7
        assert found.resolved_method.synthesis.optimiser.history == 3

    def test_synthesis_is_overridden_in_part(self, tmp_path: Path) -> None:
        found = condition(
            tmp_path,
            "synthesis: {evaluations: 7, scales: 2, optimiser: {history: 3, tolerance: 0.5}}",
            "layers: [pool1]\n    synthesis: {scales: 1, optimiser: {tolerance: 0.1}}",
        ).synthesis
        assert (found.evaluations, found.scales) == (7, 1)
        assert (found.optimiser.history, found.optimiser.tolerance) == (3, 0.1)

    @pytest.mark.parametrize(
        ("shared", "weights"),
        [
            ("{weights: imagenet}", ImagenetWeights()),
            ("{weights: {seed: 3}}", RandomWeights(seed=3)),
            ("vgg19", RandomWeights()),
        ],
    )
    def test_overriding_the_pooling_keeps_the_weights(
        self, tmp_path: Path, shared: str, weights: object
    ) -> None:
        found = condition(
            tmp_path, f"network: {shared}", "layers: [pool1]\n    network: {pooling: maximum}"
        ).network
        assert (found.pooling, found.weights) == ("maximum", weights)

    def test_another_member_starts_afresh(self, tmp_path: Path) -> None:
        found = condition(
            tmp_path,
            "synthesis: {start: {deviation: 0.1}}\nnetwork: {weights: {seed: 3}}",
            "layers: [pool1]\n    synthesis: {start: {name: image, file: x.png}}\n"
            "    network: {weights: {name: imagenet}}",
        )
        assert found.synthesis.start == ImageStart(file="x.png")
        assert found.network.weights == ImagenetWeights()

    def test_the_same_member_by_its_name_goes_on(self, tmp_path: Path) -> None:
        own = "layers: [pool1]\n    network: {weights: {name: random}}"
        found = condition(tmp_path, "network: {weights: {seed: 3}}", own)
        assert found.network.weights == RandomWeights(seed=3)

    def test_a_bare_word_starts_afresh(self, tmp_path: Path) -> None:
        shared = (
            "synthesis: {start: {deviation: 0.1}}\nstatistic: {centred: true}\nregions: {rows: 2, overlap: 1}"
        )
        found = condition(
            tmp_path,
            shared,
            "layers: [pool1]\n    synthesis: {start: noise}\n    statistic: gram\n    regions: 3x3",
        )
        assert found.synthesis.start == NormalNoise()
        assert found.statistic == Gram()
        assert found.regions == Grid(rows=3, columns=3)

    def test_a_part_of_what_a_bare_word_said_is_overridden(self, tmp_path: Path) -> None:
        found = condition(tmp_path, "regions: 4x3", "layers: [pool1]\n    regions: {overlap: 0.25}")
        assert found.regions == Grid(rows=4, columns=3, overlap=0.25)

    @pytest.mark.parametrize(
        ("shared", "own", "statistic"),
        [
            ("{normalisation: gatys2015}", "", Gram(normalisation="gatys2015", centred=False)),
            ("{normalisation: gatys2016}", "{}", Gram(normalisation="gatys2016", centred=False)),
            ("gram", "{normalisation: gatys2015}", Gram(normalisation="gatys2015", centred=False)),
            (
                "{normalisation: gatys2015}",
                "{centred: true}",
                Gram(normalisation="gatys2015", centred=True),
            ),
            (
                "{centred: true}",
                "{normalisation: gatys2015}",
                Gram(normalisation="gatys2015", centred=True),
            ),
            ("{normalisation: gatys2015}", "{normalisation: relative}", Gram(centred=True)),
            ("{normalisation: gatys2015}", "gram", Gram(centred=True)),
        ],
    )
    def test_centring_follows_the_normalisation_that_is_inherited(
        self, tmp_path: Path, shared: str, own: str, statistic: Gram
    ) -> None:
        found = condition(tmp_path, f"statistic: {shared}", f"layers: [pool1]\n    statistic: {own}")
        assert found.statistic == found.resolved_method.terms[0].statistic == statistic

    def test_terms_inherit_from_condition_and_protocol(self, tmp_path: Path) -> None:
        found = condition(
            tmp_path,
            "network: {weights: {seed: 5}}\nstatistic: {centred: true}",
            "network: {pooling: maximum}\n    regions: 2x2\n    objective:\n"
            "      - layers: [pool1]\n"
            "      - {layers: [conv1_1], weight: 0.5, regions: 1x1, statistic: {centred: false}}",
        )
        first, second = found.resolved_method.terms
        assert (first.network.pooling, first.network.weights.seed) == ("maximum", 5)
        assert first.network == second.network
        assert (first.regions, first.statistic.centred, first.weight) == (Grid(rows=2, columns=2), True, 1.0)
        assert (second.regions, second.statistic.centred, second.weight) == (Grid(), False, 0.5)

    def test_sources_inherit_the_preparation(self, tmp_path: Path) -> None:
        loaded = load(
            tmp_path,
            "name: p\npreparation: {size: 64, channels: grey, crop: {box: [0, 0, 99, 99]}}\nsources:\n"
            "  - file: a.png\n  - {file: b.png, size: [32, 48], crop: centre}\n"
            "conditions: [{id: a, layers: [pool1]}]\n",
        )
        first, second = loaded.protocol.sources
        assert (first.size, first.channels, first.crop.box) == (64, "grey", (0, 0, 99, 99))
        assert (second.size, second.channels, second.crop) == ((32, 48), "grey", "centre")

    def test_an_entry_left_empty_inherits(self, tmp_path: Path) -> None:
        assert (
            condition(tmp_path, "synthesis: {scales: 2}", "layers: [pool1]\n    synthesis:").synthesis.scales
            == 2
        )

    def test_the_data_are_left_as_they_were(self) -> None:
        data = {
            "network": {"pooling": "maximum"},
            "conditions": [{"id": "a", "objective": [{}]}],
            "sources": [1],
        }
        before = repr(data)
        apply_defaults(data)
        assert repr(data) == before

    @pytest.mark.parametrize(
        "data", [None, 5, [], {"conditions": 5, "sources": {}}, {"conditions": [5, None]}]
    )
    def test_data_of_another_form_are_left_to_validation(self, data: object) -> None:
        assert apply_defaults(data) == data

    def test_merging_is_deep_and_makes_nothing_up(self) -> None:
        base = {"a": {"b": 1, "c": {"d": 2}}, "e": [1]}
        assert merge_settings(base, {"a": {"c": {"f": 3}}, "e": [2]}) == {
            "a": {"b": 1, "c": {"d": 2, "f": 3}},
            "e": [2],
        }
        assert merge_settings(None, {"a": 1}) == {"a": 1}
        assert merge_settings({"a": 1}, None) == {"a": 1}

    def test_a_file_of_weights_replaces_normalised_weights(self) -> None:
        normalised = {"name": "normalised", "base": "random", "file": "means.json", "sha256": "0"}
        own = {"file": "own.safetensors", "sha256": "1"}
        base = {"name": "vgg19", "weights": normalised}
        assert merge_settings(base, {"weights": own}, "network") == {"name": "vgg19", "weights": own}
        # Other mean activations, and other weights to normalise, are changes of them.
        for change in ({"file": "other.json", "sha256": "1"}, {"base": "imagenet"}):
            merged = merge_settings(base, {"weights": change}, "network")
            assert merged == {"name": "vgg19", "weights": {**normalised, **change}}


class TestWeightsFromFiles:
    HASH = "ab" * 32

    def test_are_found_beside_the_protocol_wherever_one_stands(self, tmp_path: Path) -> None:
        found = condition(
            tmp_path,
            f"network: {{weights: {{name: file, file: sub/w.pth, sha256: {self.HASH}}}}}",
            "layers: [pool1]",
        )
        weights = found.resolved_method.terms[0].network.weights
        assert weights == FileWeights(file=str(tmp_path / "sub" / "w.pth"), sha256=self.HASH)

    def test_keep_an_absolute_place(self, tmp_path: Path) -> None:
        shared = f"network: {{weights: {{name: file, file: /x/w.pth, sha256: {self.HASH}}}}}"
        assert condition(tmp_path, shared, "layers: [pool1]").network.weights.file == "/x/w.pth"


class TestSeeds:
    @pytest.mark.parametrize(
        ("written", "seeds"),
        [
            ("[5, 1, 3]", [5, 1, 3]),
            ("{first: 4, count: 3}", [4, 5, 6]),
            ("{count: 2}", [1, 2]),
            ("{first: 9}", [9]),
            ("[0]", [0]),
            (f"[{2**53 - 1}]", [2**53 - 1]),
            (f"{{first: {2**53 - 2}, count: 2}}", [2**53 - 2, 2**53 - 1]),
        ],
    )
    def test_ways_of_writing(self, tmp_path: Path, written: str, seeds: list[int]) -> None:
        conditions = "  - {id: a, layers: [pool1]}\n  - {id: b, layers: [relu1_1], seeds: [8]}\n"
        text = f"{HEAD}conditions:\n{conditions}"
        protocol = load(tmp_path, f"{text}seeds: {written}\n").protocol
        assert list(protocol.seeds_of(protocol.conditions[0])) == seeds
        assert list(protocol.seeds_of(protocol.conditions[1])) == [8]

    def test_a_million_seeds_take_no_room(self, tmp_path: Path) -> None:
        text = f"{HEAD}conditions: [{{id: a, layers: [pool1]}}]\nseeds: {{count: 1000000}}\n"
        protocol = load(tmp_path, text).protocol
        assert len(protocol.seeds_of(protocol.conditions[0])) == 1_000_000
        assert isinstance(protocol.seeds_of(protocol.conditions[0]), range)


def test_everything_a_protocol_can_say(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """\
name: everything-1.0_x
title: Ünïcode title
authors:
  - {name: "Ana Ek", orcid: 0000-0002-1825-009X, affiliation: "Somewhere"}
  - name: Bo
licence: CC0-1.0
version: "1.0"
notes: |
  Two
  lines
preparation:
  crop: none
  size: [40, 30]
  channels: colour
  resampling: bicubic
  enlarge: true
  mask: masks/*.png
  background: 0.25
  before:
    - {name: luminance, mean: set}
    - {name: contrast, rms: 0.2}
  canvas: {size: [100, 90], places: [{x: -20, y: 3}, {x: 20, size: [30, 30]}]}
after: [histogram, {name: flat_top, shape: rectangle, diameter: 80, edge: 3}]
sources:
  - {file: photos/*.jpg, licence: CC-BY-4.0, credit: "me"}
  - {file: "skimage:brick", id: b.r-i_ck, crop: {box: [1, 2, 300, 400]}, size: 64, channels: grey}
network: {name: vgg19, weights: {name: random, seed: 7}, pooling: average, padding: circular}
statistic: {name: gram, centred: true, normalisation: gatys2016}
regions: {name: grid, rows: 2, columns: 3, overlap: 0.25}
synthesis:
  scales: auto
  evaluations: [10, 20]
  optimiser: {name: lbfgs, history: 5, tolerance: 1e-6}
  start: {name: noise, mean: 0.5, deviation: 0.1}
  range: {penalty: 0}
conditions:
  - {id: one, depth: conv3_1}
  - {id: two, layers: {relu1_1: 1e-3, pool5: 2}, seeds: {first: 0, count: 3}}
  - id: three
    objective:
      - {depth: pool2, weight: 0.25, network: {pooling: maximum}}
      - {layers: [relu4_4], statistic: {centred: false}, regions: 1x1}
    after: [{box: [0, 0, 50, 40]}]
    synthesis: {start: {name: image, file: start.png}}
seeds: [1, 2]
output: {encoding: linear, bits: 16, array: true, layout: nested}
""",
    )
    protocol = loaded.protocol
    assert protocol.title == "Ünïcode title"
    assert protocol.authors[0].orcid == "0000-0002-1825-009X"
    assert protocol.notes == "Two\nlines\n"
    assert protocol.conditions[1].resolved_method.terms[0].layer_weights == {"relu1_1": 0.001, "pool5": 2.0}
    assert [term.weight for term in protocol.conditions[2].resolved_method.terms] == [0.25, 1.0]
    assert Protocol.model_validate(protocol.to_dict()) == protocol
    schema_validator().validate(loaded.document.data)
