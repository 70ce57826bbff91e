"""Protocols in small."""

from __future__ import annotations

from pathlib import Path

import pytest

from stimgen.networks.embedded import Embedded
from stimgen.protocol.load import LoadedProtocol, load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.protocol.quick import CANVAS_SIDE, EVALUATIONS, SIDE, make_quick_protocol
from stimgen.reading.shipped import PROTOCOLS

HEAD = """
name: large
preparation: {channels: colour}
sources:
  - {file: "photos/*.jpg"}
  - {file: "skimage:coffee", size: 320}
  - {file: "skimage:chelsea"}
references: [{file: other.png, id: style}]
network: {name: vgg19, weights: {file: vgg.safetensors, sha256: SHA}}
statistic: {normalisation: gatys2015}
synthesis: {scales: 1, evaluations: 2000}
seeds: {first: 7, count: 10}
conditions:
""".replace("SHA", "a" * 64)


def quick(folder: Path, *conditions: str, head: str = HEAD) -> LoadedProtocol:
    file = folder / "large.yaml"
    file.write_text(head + "".join(f"  - {condition}\n" for condition in conditions), encoding="utf-8")
    return make_quick_protocol(load_protocol(file))


def test_what_was_changed_is_made_and_told(tmp_path: Path) -> None:
    loaded = quick(tmp_path, "{id: a, depth: pool2, regions: 2x2}")
    plan = make_plan(loaded)
    assert loaded.protocol.name == "large-quick"
    assert [stimulus.seed for stimulus in plan.stimuli] == [7, 7]
    assert [source.name for source in plan.sources] == ["skimage:brick", "skimage:coffee"]
    # Lengths keep their proportions: the largest picture gets the side of quick ones.
    assert [source.shape[1] for source in plan.sources] == [round(256 * SIDE / 320), SIDE]
    condition = plan.conditions[0]
    assert all(count == EVALUATIONS for _, _, count in condition.schedule(plan.sources[1].shape))
    (term,) = condition.method.terms
    assert isinstance(term.network, Embedded)
    assert term.regions.rows == 2
    assert term.statistic.normalisation == "relative"
    told = "\n".join(loaded.changes)
    for words in (
        "2 of 3 sources",
        "1 of 10 seeds",
        "skimage:brick in place of photos",
        "128 pixels in place of",
    ):
        assert words in told
    for words in ("60 evaluations", "embedded features, with losses of their own, in place of vgg19"):
        assert words in told


@pytest.mark.parametrize(
    ("said", "layers"),
    [
        ("layers: [conv1_1]", ["relu1_1"]),
        ("layers: [relu3_1]", ["scale3"]),
        ("layers: [pool4]", ["scale5"]),
        ("depth: pool1", ["relu1_1", "relu1_2", "pool1", "scale1", "scale2"]),
        ("depth: conv3_1", ["relu1_1", "relu1_2", "pool1", "scale1", "scale2", "scale3"]),
    ],
)
def test_embedded_layers_are_as_coarse(tmp_path: Path, said: str, layers: list[str]) -> None:
    condition = quick(tmp_path, f"{{id: a, {said}}}").protocol.conditions[0]
    assert list(condition.resolved_method.terms[0].layer_weights) == layers


@pytest.mark.parametrize(("kept", "other"), [("soft", "lbfgs"), ("sigmoid", "lbfgs"), ("bounds", "lbfgsb")])
def test_adam_makes_room_for_what_keeps_bounds_too(tmp_path: Path, kept: str, other: str) -> None:
    loaded = quick(
        tmp_path, f"{{id: a, depth: pool2, synthesis: {{optimiser: adam, range: {kept}, evaluations: 5000}}}}"
    )
    synthesis = loaded.protocol.conditions[0].synthesis
    assert (synthesis.optimiser.name, synthesis.range.name) == (other, kept)
    assert f"{other} in place of adam" in loaded.changes


def test_conditions_made_alike_are_made_once(tmp_path: Path) -> None:
    loaded = quick(
        tmp_path, "{id: a, layers: [conv3_1]}", "{id: b, layers: [conv3_2]}", "{id: c, depth: pool1}"
    )
    assert [condition.id for condition in loaded.protocol.conditions] == ["a", "c"]
    assert "b is a" in loaded.changes


def test_a_statistic_keeps_what_is_no_normalisation(tmp_path: Path) -> None:
    said = "{id: a, depth: pool1, statistic: {name: pca_gram, components: 7, normalisation: gatys2015}}"
    (term,) = quick(tmp_path, said).protocol.conditions[0].resolved_method.terms
    assert (term.statistic.name, term.statistic.components) == ("pca_gram", 7)
    assert term.statistic.normalisation == "relative"


def test_conditions_with_very_many_regions_are_left_out(tmp_path: Path) -> None:
    polar = "{{id: s{0}, depth: pool1, regions: {{name: polar, scaling: {0}}}}}"
    loaded = quick(tmp_path, *(polar.format(scaling) for scaling in (0.25, 0.5, 1.0)))
    assert [condition.id for condition in loaded.protocol.conditions] == ["s0.5", "s1.0"]
    assert "without s0.25" in loaded.changes
    alone = quick(tmp_path, polar.format(0.25))
    assert [condition.id for condition in alone.protocol.conditions] == ["s0.25"]


def test_other_methods_and_targets_are_kept(tmp_path: Path) -> None:
    both = "[{layers: [relu4_2], weight: 1e-3}, {depth: conv5_1, target: style}]"
    head = HEAD.replace(", size: 320", "")
    conditions = [f"{{id: {name}, objective: {both}}}" for name in "st"]
    conditions[1] = conditions[1].replace("1e-3", "4e-3")
    loaded = quick(tmp_path, "{id: o, method: original}", *conditions, head=head)
    first, second, _ = (condition.resolved_method for condition in loaded.protocol.conditions)
    assert first.to_dict()["name"] == "original"
    assert [term.weight for term in second.terms] == [0.25, 1.0]
    assert second.pictures == ("style",)
    make_plan(loaded)


def test_a_pyramid_fits_the_small_picture(tmp_path: Path) -> None:
    head = HEAD.replace("channels: colour", "channels: grey").replace(", size: 320", "")
    loaded = quick(
        tmp_path,
        "{id: ps, method: {name: portilla_simoncelli, neighbourhood: 11, budget: 1000}}",
        "{id: small, method: {name: portilla_simoncelli, neighbourhood: 5, budget: 20}}",
        head=head,
    )
    first, second = (condition.resolved_method.to_dict() for condition in loaded.protocol.conditions)
    assert (first["scales"], first["neighbourhood"], first["budget"]) == (4, 7, EVALUATIONS)
    assert (second["neighbourhood"], second["budget"]) == (5, 20)
    assert "a neighbourhood of 7 in place of 11" in loaded.changes
    make_plan(loaded)


def test_lengths_on_a_canvas_are_scaled_together(tmp_path: Path) -> None:
    head = HEAD.replace(
        "{channels: colour}",
        "{size: 180, channels: grey, canvas: {size: [640, 640], places: [{x: 220, y: -10}, {x: -220}]}}",
    ).replace(", size: 320", "")
    head = head.replace(
        "references: [{file: other.png, id: style}]", "after: [{name: crop, box: [30, 220, 200, 200]}]"
    )
    loaded = quick(tmp_path, "{id: a, depth: pool1}", head=head)
    source = loaded.protocol.sources[0]
    assert source.size == 72
    assert source.canvas.size == (256, 256)
    assert [(place.x, place.y) for place in source.canvas.places] == [(88, -4), (-88, 0)]
    assert loaded.protocol.conditions[0].after[0].box == (12, 88, 80, 80)
    make_plan(loaded)


def test_a_small_protocol_is_left_as_it_is() -> None:
    loaded = load_protocol("smoke")
    found = make_quick_protocol(loaded)
    assert found.changes == ("1 of 4 seeds",)
    assert {s.id for s in make_plan(found).stimuli} <= {s.id for s in make_plan(loaded).stimuli}


@pytest.mark.parametrize("name", PROTOCOLS.files())
def test_every_shipped_protocol_can_be_tried_quickly(name: str) -> None:
    plan = make_plan(make_quick_protocol(load_protocol(name)))
    assert plan.stimuli
    assert all(max(source.shape[:2]) <= CANVAS_SIDE for source in plan.sources)
