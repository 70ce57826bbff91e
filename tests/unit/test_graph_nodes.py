"""Nodes of traced models: their names, layouts, sides and receptive fields."""

from __future__ import annotations

import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torchvision.models.feature_extraction import get_graph_node_names

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.graph_nodes import NodeGraph, trace_model
from stimgen.networks.node_layouts import BATCH, find_layout


def build_on_meta(name: str) -> nn.Module:
    with torch.device("meta"):
        return torchvision.models.get_model(name, weights=None)


class Careless(nn.Module):
    """Changes its values in place, and has a class token, windows and a vector."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 4, 4)
        self.token = nn.Parameter(torch.ones(1, 1, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.first(x)
        maps.mul_(2.0)
        maps += 1.0
        tokens = torch.cat([self.token.expand(x.shape[0], -1, -1), maps.flatten(2).transpose(1, 2)], dim=1)
        return tokens.relu().mean(1)


@pytest.mark.parametrize("name", ["squeezenet1_1", "resnet18"])
def test_names_are_torchvisions_and_every_shape_is_computed(name: str) -> None:
    model = build_on_meta(name)
    graph = NodeGraph(trace_model(model))
    assert list(graph.traced.nodes) == get_graph_node_names(model, suppress_diff_warning=True)[1][1:]
    assert list(graph.find_shapes(224, 224)) == list(graph.traced.nodes)


def test_what_changes_in_place_is_computed_without() -> None:
    model = Careless()
    traced = trace_model(model)
    images = torch.rand(2, 3, 16, 24)
    names = list(traced.nodes)
    found = traced.cut(names)(images)
    torch.testing.assert_close(found["mean"], model(images))
    torch.testing.assert_close(found["mul_"], 2.0 * found["first"])
    torch.testing.assert_close(found["add"], found["mul_"] + 1.0)


def test_tokens_before_those_of_the_picture_are_told_from_them() -> None:
    traced = trace_model(Careless())
    traced.module.to("meta")
    graph = NodeGraph(traced, probes=(16, 32))
    layout = graph.layouts["relu"]
    assert (layout.kind, layout.skipped, layout.channels) == ("tokens", 1, 4)
    assert [graph.map_side("relu", side) for side in (0, 3, 4, 15, 16, 20)] == [0, 0, 1, 3, 4, 5]
    assert graph.layouts["mean"].kind == "vector"
    assert graph.receptive_field("add") == ReceptiveField(4, 4, 1.5)
    assert graph.receptive_field("relu") is None


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 9), st.booleans())
def test_numbers_of_tokens_tell_the_grid(small: int, more: int, skipped: int, first: bool) -> None:
    large = small + more
    counts = [rows * columns + skipped for rows, columns in ((small, small), (small, large), (large, large))]
    shapes = [(BATCH, count, 8) if first else (BATCH, 8, count) for count in counts]
    layout = find_layout(*shapes)
    assert layout is not None
    assert (layout.kind, layout.skipped, layout.channels) == ("tokens" if first else "sequence", skipped, 8)
    assert layout.count_positions(shapes[2]) == large
    values = torch.arange(BATCH * counts[1] * 8).reshape(shapes[1])
    maps = layout.arrange(values, small, large)
    assert maps.shape == (BATCH, 8, small, large)
    token = values[1, skipped + large * (small - 1)] if first else values[1, :, skipped + large * (small - 1)]
    assert torch.equal(maps[1, :, small - 1, 0], token)


def test_windows_of_attention_are_no_layer() -> None:
    assert find_layout((BATCH * 4, 49, 8), (BATCH * 8, 49, 8), (BATCH * 16, 49, 8)) is None
    assert find_layout((BATCH, 16, 49, 8), (BATCH, 32, 49, 8), (BATCH, 64, 49, 8)) is None


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("resnet18", ["relu", "layer1.1.relu_1", "layer2.1.relu_1", "layer3.1.relu_1", "layer4.1.relu_1"]),
        ("vgg11", [f"features.{i}" for i in (1, 4, 9, 14, 19, 20)]),
    ],
)
def test_stages_end_where_maps_become_smaller(name: str, ends: list[str]) -> None:
    assert NodeGraph(trace_model(build_on_meta(name))).find_stage_ends() == ends


def test_a_module_stands_for_its_last_node() -> None:
    modules = NodeGraph(trace_model(build_on_meta("squeezenet1_1"))).modules
    assert modules["features.3"] == "features.3.cat"
    assert modules["features"] == "features.12.cat"
