"""A network of the user's own: registered from Python, checked before it is used."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.nn import functional

import stimgen
from stimgen.networks import DeviceSpec, python
from stimgen.networks.python import PythonNetwork, register_network
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.reading.errors import StimgenError

CPU = DeviceSpec(torch.device("cpu"))
FILTERS = torch.randn(5, 3, 3, 3, generator=torch.Generator().manual_seed(1))


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(python, "_registered", {})
    return


def edges(images: torch.Tensor) -> dict[str, torch.Tensor]:
    maps = functional.conv2d(images, FILTERS.to(images), padding=1).relu()
    return {"edges": maps, "coarse": functional.avg_pool2d(maps, 2)}


def register(function=edges, **changes) -> None:
    usual = {"version": "1", "layers": {"edges": 5, "coarse": 5}, "map_side": {"edges": 1, "coarse": 2}}
    register_network("edges", function, **(usual | changes))


def protocol(folder: Path, use: str = "{name: python, use: edges}") -> Path:
    file = folder / "p.yaml"
    file.write_text(
        "name: p\nsources: [{file: skimage:coffee, size: 32}]\nsynthesis: {evaluations: 15}\n"
        f"conditions:\n  - {{id: a, network: {use}, depth: coarse}}\n"
    )
    return file


def test_a_protocol_uses_it(tmp_path: Path) -> None:
    stimgen.register_network(
        "edges", edges, version="1", layers={"edges": 5, "coarse": 5}, map_side={"edges": 1, "coarse": 2}
    )
    stimuli = stimgen.generate(protocol(tmp_path), tmp_path / "set", options=_on_cpu())
    (record,) = stimuli.records.values()
    assert record.content.losses.end.total < 0.1 * record.content.losses.start.total
    assert record.content.terms[0]["network"] == {"name": "python", "use": "edges", "version": "1"}
    assert record.content.network[0].weights_sha256 is None


def _on_cpu():
    from stimgen.workflow.generate import GenerateOptions

    return GenerateOptions("cpu")


def test_another_version_is_another_stimulus(tmp_path: Path) -> None:
    ids = set()
    for version in ("1", "2", "1"):
        register(version=version)
        ids |= {stimulus.id for stimulus in make_plan(load_protocol(protocol(tmp_path))).stimuli}
    assert len(ids) == 2


def test_a_function_from_layer_and_side_is_as_good_as_strides() -> None:
    register(map_side=lambda layer, side: side // {"edges": 1, "coarse": 2}[layer])
    network = PythonNetwork(use="edges")
    assert (network.map_side("coarse", 33), network.smallest_side("coarse", 3)) == (16, 6)
    maps = network.load(("coarse",), CPU)(torch.rand(2, 1, 33, 20))["coarse"]
    assert maps.shape == (2, 5, 16, 10)


def test_an_unknown_name_is_an_error_with_the_nearest_and_the_line(tmp_path: Path) -> None:
    register()
    with pytest.raises(StimgenError) as caught:
        load_protocol(protocol(tmp_path, "{name: python, use: egdes}"))
    told = str(caught.value)
    assert told.startswith(f"{tmp_path / 'p.yaml'}:5: ")
    for part in ("no network 'egdes' is registered", "did you mean 'edges'", "stimgen.register_network"):
        assert part in told


def test_a_name_is_never_a_module(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    with pytest.raises(StimgenError, match=r"no network 'evil\.network'"):
        load_protocol(protocol(tmp_path, "{name: python, use: evil.network}"))


def test_a_version_that_a_protocol_asks_for(tmp_path: Path) -> None:
    register(version="2")
    assert load_protocol(protocol(tmp_path, '{name: python, use: edges, version: "2"}'))
    with pytest.raises(StimgenError, match="version '2' of 'edges' is registered"):
        load_protocol(protocol(tmp_path, '{name: python, use: edges, version: "1"}'))


def test_a_protocol_that_was_loaded_before_another_version() -> None:
    register(version="1")
    network = PythonNetwork(use="edges")
    register(version="2")
    with pytest.raises(StimgenError, match="was registered again, as version '2'"):
        network.load(("edges",), CPU)


def test_a_function_that_is_defined_again_is_used_at_once() -> None:
    register()
    extract = PythonNetwork(use="edges").load(("edges",), CPU)
    register(lambda images: {"edges": images})
    images = torch.rand(2, 3, 8, 8)
    assert torch.equal(extract(images)["edges"], images)


def across_the_batch(images: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"edges": edges(images - images.mean(0, keepdim=True))["edges"]}


def noisy(images: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"edges": edges(images)["edges"] * torch.rand(())}


def failing(_: torch.Tensor) -> dict[str, torch.Tensor]:
    raise ValueError("I cannot")


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda _: {}, "returned no layer 'edges'"),
        (failing, "failed with images of 3 x 3 x 16 x 21: ValueError: I cannot"),
        (lambda images: {"edges": images}, r"has the shape \(3, 3, 16, 21\)"),
        (lambda images: {"edges": edges(images)["coarse"]}, r"has the shape \(3, 5, 8, 10\)"),
        (lambda images: {"edges": edges(images)["edges"][:2]}, "has the shape"),
        (lambda _: {"edges": [1.0]}, "is not a tensor"),
        (lambda images: {"edges": edges(images)["edges"].int()}, "floating-point"),
        (lambda images: {"edges": edges(images)["edges"].detach()}, "has no gradient"),
        (lambda images: {"edges": edges(images)["edges"] / 0}, "numbers that are not finite"),
        (lambda images: {"edges": (edges(images)["edges"] * 0).sqrt()}, "no finite gradient"),
        (across_the_batch, "batch"),
        (noisy, "called again"),
    ],
)
def test_what_is_no_network_is_refused(function, told: str) -> None:
    register(function)
    with pytest.raises(StimgenError, match=told):
        PythonNetwork(use="edges").load(("edges",), CPU)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"layers": {}}, "at least one layer"),
        ({"version": ""}, "needs a version"),
        ({"map_side": {"edges": 1}}, "the layer 'coarse' of the network 'edges' has no stride"),
        ({"map_side": {"edges": 1, "coarse": 5000}}, "has no position at any size"),
        ({"map_side": lambda *_: 0}, "has no position at any size"),
    ],
)
def test_what_cannot_be_registered(changes: dict, told: str) -> None:
    with pytest.raises(StimgenError, match=told):
        register(**changes)


def test_the_network_of_the_protocols_page(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "protocols.md").read_text()
    (code,) = re.findall(r"```python\n(import stimgen\n.*?)```", page, flags=re.DOTALL)
    (tmp_path / "code.py").write_text(code)
    runpy.run_path(str(tmp_path / "code.py"))
    file = protocol(tmp_path, "{name: python, use: blurred}")
    file.write_text(file.read_text().replace("coarse", "quarter"))
    assert len(make_plan(load_protocol(file)).stimuli) == 1
    assert PythonNetwork(use="blurred").load(("half", "quarter"), CPU)
