"""Targets in other pictures than the source: style transfer, interpolation; sources of single conditions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from stimgen.images.write import decode_png
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import ProtocolPlan, make_plan
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.store import Store
from stimgen.stimulus_set.verify import verify_set
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.objective import Objective
from stimgen.synthesis.ranges.free import Unconstrained
from stimgen.synthesis.starts.source import SourceStart
from stimgen.synthesis.term import Term
from stimgen.workflow.generate import generate_set

HEAD = """
name: targets
preparation: {size: 32, channels: colour}
sources: [{file: "skimage:brick"}, {file: "skimage:coffee"}]
references: [{file: "skimage:chelsea", id: cat, credit: Stefan van der Walt}]
synthesis: {evaluations: 4}
conditions:
"""


def planned(folder: Path, *conditions: str, head: str = HEAD) -> ProtocolPlan:
    file = folder / "targets.yaml"
    file.write_text(head + "".join(f"  - {condition}\n" for condition in conditions), encoding="utf-8")
    return make_plan(load_protocol(file))


def ids(plan: ProtocolPlan) -> list[str]:
    return [stimulus.id for stimulus in plan.stimuli]


class TestPlan:
    def test_stimuli_are_made_of_sources_only(self, tmp_path: Path) -> None:
        plan = planned(tmp_path, "{id: a, depth: scale1, target: cat}")
        assert [stimulus.source.id for stimulus in plan.stimuli] == ["brick", "coffee"]
        assert [picture.id for picture in plan.references] == ["cat"]
        target = plan.stimuli[0].recipe["terms"][0]["target"]
        assert target["weight"] == 1.0
        assert target["pixels"] == plan.references[0].recipe

    def test_what_the_target_is_made_of_matters_and_its_name_does_not(self, tmp_path: Path) -> None:
        usual = ids(planned(tmp_path, "{id: a, depth: scale1, target: cat}"))
        head = HEAD.replace("id: cat", "id: chelsea").replace("Stefan", "S.")
        assert ids(planned(tmp_path, "{id: a, depth: scale1, target: chelsea}", head=head)) == usual
        others = [
            planned(tmp_path, "{id: a, depth: scale1}"),
            planned(tmp_path, "{id: a, depth: scale1, target: {picture: cat, weight: 0.5}}"),
            planned(tmp_path, "{id: a, depth: scale1, target: {picture: cat, along: wasserstein}}"),
            planned(tmp_path, "{id: a, depth: scale1, target: brick}"),
        ]
        assert len({usual[0], *(ids(plan)[0] for plan in others)}) == 5

    def test_unused_references_are_no_part_of_the_plan(self, tmp_path: Path) -> None:
        assert planned(tmp_path, "{id: a, depth: scale1}").references == ()

    def test_a_condition_may_be_for_some_sources(self, tmp_path: Path) -> None:
        plan = planned(tmp_path, "{id: a, depth: scale1, sources: [coffee]}", "{id: b, depth: scale2}")
        assert [(s.condition.id, s.source.id) for s in plan.stimuli] == [
            ("a", "coffee"),
            ("b", "brick"),
            ("b", "coffee"),
        ]

    @pytest.mark.parametrize(
        ("condition", "words"),
        [
            ("{id: a, depth: scale1, target: cta}", "did you mean 'cat'"),
            ("{id: a, depth: scale1, sources: [cofee]}", "did you mean 'coffee'"),
            (
                "{id: a, depth: scale1, statistic: {centred: false}, target: {picture: cat, along: "
                "wasserstein}}",
                "no `wasserstein` path",
            ),
            ("{id: a, method: original, depth: scale1}", "minimises no objective"),
        ],
    )
    def test_mistakes_are_located(self, tmp_path: Path, condition: str, words: str) -> None:
        with pytest.raises(StimgenError, match=words) as caught:
            planned(tmp_path, condition)
        assert "targets.yaml:8" in str(caught.value)

    def test_a_target_of_another_size_is_refused(self, tmp_path: Path) -> None:
        head = HEAD.replace("id: cat", "id: cat, size: 40")
        with pytest.raises(StimgenError, match="'cat' has 40 x 40 pixels in colour"):
            planned(tmp_path, "{id: a, depth: scale1, target: cat}", head=head)


def objective(weight: float, along: str = "linear") -> tuple[Objective, torch.Tensor, torch.Tensor]:
    source, other = torch.rand(2, 2, 3, 16, 16)
    term = Term(network="pixels", layers=["rgb"], target={"picture": "x", "weight": weight, "along": along})
    sources = BatchSources(source, torch.tensor([0, 1]), pictures={"x": other[:1].repeat(2, 1, 1, 1)})
    return Objective((term,), Unconstrained(), sources), source, other


class TestObjective:
    def test_a_whole_target_is_the_pictures_own(self) -> None:
        whole, source, other = objective(1.0)
        rows = torch.tensor([0, 1])
        assert whole.measure(other[:1].repeat(2, 1, 1, 1), rows).max() < 1e-12
        assert whole.measure(source, rows).sum(1).min() > 1e-6

    @pytest.mark.parametrize("along", ["linear", "wasserstein"])
    def test_no_part_of_the_target_leaves_the_source(self, along: str) -> None:
        none, source, _ = objective(0.0, along)
        assert none.measure(source, torch.tensor([0, 1])).max() < 1e-9

    def test_a_target_between_two_is_nearer_to_both(self) -> None:
        rows = torch.tensor([0, 1])
        torch.manual_seed(1)
        half, source, other = objective(0.5)
        torch.manual_seed(1)
        whole, _, _ = objective(1.0)
        assert (half.measure(source, rows).sum(1) < whole.measure(source, rows).sum(1)).all()
        assert half.measure(other[:1].repeat(2, 1, 1, 1), rows).sum(1).min() > 0


def test_the_source_with_noise_is_a_start() -> None:
    source = np.random.default_rng(0).random((4, 5, 3), dtype=np.float32)
    key = ("source", 3)
    np.testing.assert_array_equal(SourceStart().pixels((4, 5, 3), key, source), source)
    noisy = SourceStart(deviation=0.1).pixels((4, 5, 3), key, source)
    assert 0.05 < np.std(noisy - source) < 0.2
    assert not np.array_equal(noisy, SourceStart(deviation=0.1).pixels((4, 5, 3), ("source", 4), source))


def test_a_set_with_targets_names_and_keeps_the_pictures(tmp_path: Path) -> None:
    conditions = ["{id: style, depth: scale1, target: cat}", "{id: original, method: original}"]
    loaded = planned(tmp_path, *conditions).loaded
    generate_set(loaded, tmp_path / "set")
    store = Store(tmp_path / "set")
    assert verify_set(store).sound
    styled, *_, plain = (record.content for record in store.read_records())
    (reference,) = styled.references
    assert (reference.id, reference.credit) == ("cat", "Stefan van der Walt")
    assert sha256_bytes(store.read(reference.original.file)) == reference.original.sha256
    assert plain.losses is None
    assert plain.stopped == "made"
    original = plain.source.original.file
    levels = decode_png(store.read(original), store.path(original))
    assert plain.pixels_sha256 == sha256_bytes(levels.tobytes())
    # Another credit of a reference is another label, not another stimulus.
    relabelled = planned(tmp_path, *conditions, head=HEAD.replace("Stefan", "S.")).loaded
    assert generate_set(relabelled, tmp_path / "set").made == 0
    assert store.read_record(styled.id).content.references[0].credit == "S. van der Walt"
    assert verify_set(store).sound
    store.path(reference.original.file).write_bytes(b"something else")
    assert any(reference.original.file in problem for problem in verify_set(store).problems)
