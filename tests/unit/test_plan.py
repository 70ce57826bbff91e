"""Plans: published numbers of parameters, what is refused, what `stimgen plan --json` says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stimgen.images.prepare import Preparation
from stimgen.images.read import find_skimage_file, read_image_file
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import LARGEST_PLAN, ProtocolPlan, make_plan
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import IDENTITY_PATTERN
from stimgen.reading.random_numbers import normal
from stimgen.workflow.plan import describe_plan

HEAD = 'name: p\nnetwork: vgg19\npreparation: {size: 64}\nsources:\n  - file: "skimage:brick"\n'
CONVOLUTIONS = (
    "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1 conv3_2 conv3_3 conv3_4 conv4_1 conv4_2 conv4_3 conv4_4"
)
UP_TO_POOL4 = [*CONVOLUTIONS.split(), "pool1", "pool2", "pool3", "pool4"]


def summary(tmp_path: Path, text: str) -> dict[str, Any]:
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    return describe_plan(load_protocol(tmp_path / "p.yaml"))


def plan(tmp_path: Path, text: str) -> ProtocolPlan:
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    return make_plan(load_protocol(tmp_path / "p.yaml"))


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(StimgenError) as caught:
        plan(tmp_path, text)
    return str(caught.value).removeprefix(f"{tmp_path}/")


def one_condition(tmp_path: Path, what: str) -> dict[str, Any]:
    head = HEAD.replace("size: 64", "size: 512")
    (found,) = summary(tmp_path, f"{head}conditions:\n  - id: a\n    {what}\n")["conditions"]
    return found


class TestParameters:
    @pytest.mark.parametrize(
        ("what", "parameters"),
        [
            ("layers: [relu1_1, pool1, pool2, pool3, pool4]", 176_640),
            ("depth: pool4", 176_640),
            (f"layers: [{', '.join(UP_TO_POOL4)}]", 852_128),
            ("depth: conv1_1", 2_080),
            ("depth: conv2_1", 10_336),
            ("depth: conv3_1", 43_232),
            ("depth: conv4_1", 174_560),
            ("depth: conv5_1", 305_888),
        ],
    )
    def test_are_those_that_were_published(self, tmp_path: Path, what: str, parameters: int) -> None:
        assert one_condition(tmp_path, what)["parameters"] == parameters
        for regions, times in (("4x4", 16), ("{rows: 2, columns: 3}", 6)):
            more = one_condition(tmp_path, f"{what}\n    regions: {regions}")
            assert more["parameters"] == times * parameters

    def test_are_counted_over_all_terms(self, tmp_path: Path) -> None:
        found = one_condition(tmp_path, "objective: [{depth: conv1_1}, {layers: [pool1], regions: 2x1}]")
        assert found["parameters"] == 3 * 2_080


def test_a_depth_is_written_out(tmp_path: Path) -> None:
    found = one_condition(tmp_path, "depth: pool3")
    assert found["layers"] == ["relu1_1", "pool1", "pool2", "pool3"]
    assert found["terms"][0]["layers"] == dict.fromkeys(found["layers"], 0.25)
    assert one_condition(tmp_path, "depth: conv2_1")["layers"] == ["conv1_1", "conv2_1"]


class TestSummary:
    TEXT = (
        HEAD
        + '  - {file: "skimage:coffee", size: [64, 32]}\nsynthesis: {scales: 2, evaluations: [3, 4]}\n'
        + "conditions:\n  - {id: a, layers: [pool1]}\n  - {id: b, depth: pool2, regions: 2x2, seeds: [9]}\n"
        + "seeds: {first: 5, count: 2}\n"
    )

    def test_lists_conditions_and_stimuli(self, tmp_path: Path) -> None:
        found = summary(tmp_path, self.TEXT)
        assert [(c["id"], c["layers"], c["parameters"], c["stimuli"]) for c in found["conditions"]] == [
            ("a", ["pool1"], 2_080, 4),
            ("b", ["relu1_1", "pool1", "pool2"], 4 * 12_416, 2),
        ]
        assert [(s["source"], s["condition"], s["seed"]) for s in found["stimuli"]] == [
            ("brick", "a", 5),
            ("brick", "a", 6),
            ("coffee", "a", 5),
            ("coffee", "a", 6),
            ("brick", "b", 9),
            ("coffee", "b", 9),
        ]
        assert all(re.fullmatch(IDENTITY_PATTERN, stimulus["id"]) for stimulus in found["stimuli"])
        assert all(set(stimulus) == {"id", "source", "condition", "seed"} for stimulus in found["stimuli"])
        assert found["sources"][1] | {"sha256": ""} == {
            "id": "coffee",
            "file": "skimage:coffee",
            "sha256": "",
            "size": [64, 32],
            "channels": 3,
            "factors": {},
            "presentation": {},
        }

    def test_says_how_sources_are_presented(self, tmp_path: Path) -> None:
        """The mean of the set is that of the light of both, as numpy finds it."""
        shared = "preparation: {size: 64, before: [{mean: set}], background: 0.25}\n"
        text = HEAD.replace("preparation: {size: 64}\n", shared) + '  - file: "skimage:coffee"\n'
        found = summary(tmp_path, text + "conditions: [{id: a, depth: pool1}]\noutput: {encoding: linear}\n")
        means = []
        for name in ("brick", "coffee"):
            values = Preparation(size=64).prepare(read_image_file(find_skimage_file(name))).astype(float)
            means.append((np.broadcast_to(values, (64, 64, 3)) @ [0.2126, 0.7152, 0.0722]).mean())
        assert [source["presentation"] for source in found["sources"]] == 2 * [
            {
                "background": 0.25,
                "before": [{"name": "luminance", "mean": round(float(np.mean(means)), 6)}],
                "encoding": "linear",
            }
        ]

    def test_says_how_much_there_is_to_do(self, tmp_path: Path) -> None:
        found = summary(tmp_path, self.TEXT)
        assert [condition["evaluations"] for condition in found["conditions"]] == [7, 7]
        assert found["bytes"] == sum(condition["bytes"] for condition in found["conditions"])
        with_array = summary(tmp_path, self.TEXT + "output: {array: true}\n")
        numbers = 3 * (64 * 64 + 3 * 64 * 32)  # stimuli of each source, times their numbers
        assert with_array["bytes"] == found["bytes"] + 4 * numbers

    def test_is_json(self, tmp_path: Path) -> None:
        found = summary(tmp_path, self.TEXT)
        assert json.loads(json.dumps(found, allow_nan=False)) == found

    def test_knows_the_settings(self, tmp_path: Path) -> None:
        condition = summary(tmp_path, self.TEXT)["conditions"][1]
        assert condition["schedules"] == [[[32, 32, 3], [64, 64, 4]], [[32, 16, 3], [64, 32, 4]]]
        assert condition["terms"][0]["regions"] == {"name": "grid", "rows": 2, "columns": 2, "overlap": 0.5}
        assert condition["terms"][0]["network"]["weights"]["name"] == "random"
        assert "seconds" not in condition

    def test_a_probe_estimates_a_time(self, tmp_path: Path) -> None:
        text = HEAD + "synthesis: {scales: 1}\nconditions: [{id: a, depth: relu1_1}]\n"
        (tmp_path / "p.yaml").write_text(text.replace("64", "16"), encoding="utf-8")
        (found,) = describe_plan(load_protocol(tmp_path / "p.yaml"), probe="cpu")["conditions"]
        assert 0 < found["seconds"] < 1000


class TestRefusals:
    CONDITIONS = "synthesis: {scales: 1}\nconditions:\n  - {id: a, depth: pool1}\n  - {id: b, depth: pool2}\n"

    @pytest.mark.parametrize("layout", ["flat", "nested"])
    def test_more_than_a_million_stimuli(self, tmp_path: Path, layout: str) -> None:
        text = f"{HEAD}{self.CONDITIONS}output: {{layout: {layout}}}\nseeds: {{count: 500001}}\n"
        assert refusal(tmp_path, text) == (
            "p.yaml:11: 1,000,002 stimuli: more than the 1,000,000 that one protocol may have"
        )

    def test_more_than_a_million_stimuli_before_any_source_is_read(self, tmp_path: Path) -> None:
        text = f"{HEAD.replace('skimage:brick', 'nothere.png')}{self.CONDITIONS}seeds: {{count: 1000000}}\n"
        assert "2,000,000 stimuli" in refusal(tmp_path, text)

    def test_huge_counts_are_found_without_counting(self, tmp_path: Path) -> None:
        conditions = "".join(f"  - {{id: c{i}, depth: pool1}}\n" for i in range(500))
        text = f"{HEAD}conditions:\n{conditions}seeds: {{count: 1000000}}\n"
        assert "500,000,000 stimuli" in refusal(tmp_path, text)
        assert LARGEST_PLAN == 1_000_000

    def test_more_than_ten_thousand_in_one_folder(self, tmp_path: Path) -> None:
        text = f"{HEAD}{self.CONDITIONS}seeds: {{count: 5001}}\n"
        assert refusal(tmp_path, text) == (
            "p.yaml:10: 10,002 stimuli: too many for one folder (up to 10,000)\n"
            "  write `output: {layout: nested}`"
        )
        written = text + "output: {layout: flat}\n"
        assert refusal(tmp_path, written).startswith("p.yaml:11: 10,002 stimuli: too many for one folder")

    def test_a_hundred_thousand_in_folders_of_their_own(self, tmp_path: Path) -> None:
        text = f"{HEAD}{self.CONDITIONS}seeds: {{count: 50000}}\noutput: {{layout: nested}}\n"
        stimuli = plan(tmp_path, text).stimuli
        assert len(stimuli) == len({stimulus.id for stimulus in stimuli}) == 100_000
        assert (stimuli[0].seed, stimuli[-1].seed, stimuli[-1].condition.id) == (1, 50_000, "b")

    @pytest.mark.parametrize(
        "text",
        [
            f"{HEAD}conditions:\n  - {{id: a, depth: pool1}}\n  - {{id: b, layers: [pool1, relu1_1]}}\n",
            f"{HEAD}  - {{file: 'skimage:brick', id: again}}\nconditions:\n  - {{id: a, depth: pool1}}\n",
            f"{HEAD}conditions:\n  - {{id: a, depth: pool1}}\nseeds: [1, 2, 1]\n",
        ],
        ids=["conditions", "sources", "seeds"],
    )
    def test_twins(self, tmp_path: Path, text: str) -> None:
        message = refusal(tmp_path, text)
        assert re.match(r"p\.yaml:\d+: \S+_s1_\w+ and \S+_s1_\w+ are the same stimulus", message)

    def test_two_conditions_with_one_id(self, tmp_path: Path) -> None:
        message = refusal(tmp_path, HEAD + "conditions: [{id: a, depth: pool1}, {id: A, depth: pool2}]\n")
        assert message == "p.yaml:6: two conditions have the id 'A'"

    def test_two_sources_with_one_id(self, tmp_path: Path) -> None:
        other = "{file: 'skimage:brick', size: 32}"
        message = refusal(tmp_path, f"{HEAD}  - {other}\nconditions: [{{id: a, depth: pool1}}]\n")
        assert message.startswith(
            "p.yaml:6: two sources have the id 'brick': skimage:brick and skimage:brick"
        )

    @pytest.mark.parametrize(
        ("size", "what", "smallest"),
        [
            (31, "depth: pool5", 32),
            (15, "depth: pool4", 16),
            (63, "depth: pool5\n    regions: 2x1", 64),
            (8, "layers: [conv5_1]", 16),
            (33, "layers: [pool1]\n    network: {padding: none}\n    regions: 16x16", 36),
        ],
    )
    def test_a_picture_too_small_names_the_smallest(
        self, tmp_path: Path, size: int, what: str, smallest: int
    ) -> None:
        def text(side: int) -> str:
            head = HEAD.replace("size: 64", f"size: {side}")
            return f"{head}synthesis: {{scales: 1}}\nconditions:\n  - id: a\n    {what}\n"

        message = refusal(tmp_path, text(size))
        assert message.startswith("p.yaml:8: condition 'a', source 'brick': ")
        assert f"the smallest is {smallest} pixels" in message
        assert len(plan(tmp_path, text(smallest)).stimuli) == 1
        assert "too small" in refusal(tmp_path, text(smallest - 1))

    def test_the_shorter_side_counts(self, tmp_path: Path) -> None:
        text = f"{HEAD}    size: [64, 15]\nsynthesis: {{scales: 1}}\nconditions: [{{id: a, depth: pool4}}]\n"
        assert "side of 15 pixels" in refusal(tmp_path, text)

    def test_evaluations_for_another_number_of_scales(self, tmp_path: Path) -> None:
        text = f"{HEAD}conditions:\n  - id: a\n    depth: pool1\n    synthesis: {{evaluations: [1, 2]}}\n"
        message = refusal(tmp_path, text)
        assert message.startswith("p.yaml:7: condition 'a', source 'brick': `evaluations` lists 2 numbers")
        assert "64 x 64" in message
        assert len(plan(tmp_path, text.replace("size: 64", "size: 128")).stimuli) == 1


class TestStarts:
    @staticmethod
    def with_start(start: str) -> str:
        return f"{HEAD}synthesis:\n  start: {start}\nconditions:\n  - {{id: a, depth: pool1}}\n"

    def test_start_noise_is_that_of_source_and_seed_alone(self, tmp_path: Path) -> None:
        text = HEAD + "conditions:\n  - {id: a, depth: pool1}\n  - {id: b, depth: pool2}\nseeds: [1, 2]\n"
        found = plan(tmp_path, text)
        pictures = [s.condition.start_pixels(s.source, s.seed) for s in found.stimuli]
        assert np.array_equal(pictures[0], pictures[2])
        assert not np.array_equal(pictures[0], pictures[1])
        key = ("start", found.sources[0].sha256, 1)
        expected = (0.5 + 0.2 * normal(64 * 64, *key)).reshape(64, 64, 1).astype(np.float32)
        assert np.array_equal(pictures[0], expected)

    def test_a_picture_is_prepared_like_the_source(self, tmp_path: Path) -> None:
        found = plan(tmp_path, self.with_start("{file: 'skimage:grass'}"))
        (stimulus,) = found.stimuli
        picture = stimulus.condition.start_pixels(stimulus.source, stimulus.seed)
        expected = Preparation(size=64).prepare(read_image_file(find_skimage_file("grass")))
        assert np.array_equal(picture, expected)

    @pytest.mark.parametrize(
        ("start", "told"),
        [
            ("{file: nothere.png}", "nothere.png: no such image file"),
            ("{file: ../x.png}", "the source lies outside"),
            ("{file: 'skimage:gras'}", "did you mean 'grass'"),
            ("{file: '*.png'}", "no image file matches"),
            ("{file: p.yaml}", "not an image"),
            ("{file: '**.png'}", "the pattern '**.png' cannot be used"),
        ],
    )
    def test_a_picture_that_cannot_be_used(self, tmp_path: Path, start: str, told: str) -> None:
        message = refusal(tmp_path, self.with_start(start))
        assert message.startswith("p.yaml:7: ")
        assert told in message

    @pytest.mark.parametrize(
        ("preparation", "told"),
        [
            ("{size: 450}", "the crop has 400 x 400 pixels, so 450 x 450 would enlarge it"),
            (
                "{size: 64, crop: {box: [0, 450, 60, 60]}, enlarge: true}",
                "does not fit into its 600 x 400 pixels",
            ),
            ("{size: 64, crop: none}", "'brick' is, the start image has 78 x 52 pixels, the source 64 x 64"),
        ],
    )
    def test_a_picture_that_does_not_fit(self, tmp_path: Path, preparation: str, told: str) -> None:
        text = self.with_start("{file: 'skimage:coffee'}").replace("{size: 64}", preparation)
        message = refusal(tmp_path, text)
        assert message.startswith("p.yaml:7: ")
        assert told in message

    def test_a_pattern_for_several(self, tmp_path: Path) -> None:
        for name in "ab":
            (tmp_path / f"{name}.png").write_bytes(find_skimage_file("brick").read_bytes())
        assert refusal(tmp_path, self.with_start("{file: '*.png'}")) == (
            "p.yaml:7: the start image must be one file, not a pattern for several"
        )

    def test_a_picture_that_changed_since_the_plan(self, tmp_path: Path) -> None:
        (tmp_path / "s.png").write_bytes(find_skimage_file("brick").read_bytes())
        (stimulus,) = plan(tmp_path, self.with_start("{file: s.png}")).stimuli
        (tmp_path / "s.png").write_bytes(find_skimage_file("grass").read_bytes())
        with pytest.raises(StimgenError, match="changed since the plan was made"):
            stimulus.condition.start_pixels(stimulus.source, stimulus.seed)
