"""What computes on a GPU stays there, and asks it for numbers once an evaluation: proved without a GPU.

PyTorch's device ``meta`` has sizes and no numbers: what needs a number, or another device, fails there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from device_watch import META, DeviceWatch, watch_device

from stimgen.computation import precision, transfer
from stimgen.networks import NETWORKS, Network
from stimgen.reading.generators import run_generator
from stimgen.statistics import STATISTICS
from stimgen.statistics.regions import REGIONS
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.objective import Objective
from stimgen.synthesis.optimisers import OPTIMISERS
from stimgen.synthesis.optimisers.optimiser_batch import run_descent
from stimgen.synthesis.ranges import PIXEL_CONSTRAINTS
from stimgen.synthesis.term import Term

SIDE = 64

# Why a member is not run on `meta`, or asks for more than one transfer.
NO_META = {
    "portilla_simoncelli": "it needs a network of its own: see below",
    "module": "the user's file says what it computes",
    "python": "the values that a user's function returns are checked",
    "timm": "its package is an extra, and it is a user's choice among hundreds of models",
    "torchvision": "the networks with names of their own are models of torchvision",
}
NO_SINGLE_READ = {"lbfgsb": "scipy decides, one image at a time, on the processor"}
# Members that need a value, or are quicker with one.
WITH = {
    "grid": {"rows": 2, "columns": 2},
    "receptive_field": {"rows": 2, "columns": 2},
    "polar": {"scaling": 3.0},
    "map": {"file": str(Path(__file__).with_name("regions.png"))},
}


@pytest.fixture(autouse=True)
def meta_has_no_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "WITHOUT_FLOAT64", frozenset({"meta"}))


def evaluate_on_meta(network: Network, layers: list[str], **chosen: Any) -> None:
    channels = chosen.pop("channels", 3)
    constraint = chosen.pop("constraint", PIXEL_CONSTRAINTS.members["soft"]())
    term = Term(network=network, layers=tuple(layers), **chosen)
    images, rows = torch.empty(2, channels, SIDE, SIDE, device=META), torch.arange(2, device=META)
    objective = Objective([term], constraint, BatchSources(images, rows, (("a", 1), ("b", 2))))
    with watch_device():
        for _ in range(2):
            evaluation = objective(constraint.to_variables(images), rows)
    assert evaluation.gradient.shape == images.shape
    assert evaluation.parts.device == evaluation.gradient.device == META


def wavelets() -> tuple[Network, list[str]]:
    network = NETWORKS.members["rectified_wavelets"]()
    return network, list(network.layers())[:2]


@pytest.mark.parametrize("name", [name for name in NETWORKS.members if name not in NO_META])
def test_networks_stay_on_their_device(name: str) -> None:
    network = NETWORKS.members[name]()
    # Deeper layers are made of the same operations, and their random weights take minutes.
    evaluate_on_meta(network, list(network.layers())[:3])


@pytest.mark.parametrize("name", [name for name in STATISTICS.members if name not in NO_META])
def test_statistics_stay_on_their_device(name: str) -> None:
    evaluate_on_meta(*wavelets(), statistic=STATISTICS.members[name]())


def test_portilla_simoncelli_stays_on_its_device() -> None:
    network = NETWORKS.members["steerable_pyramid"]()
    # The components of a source's colours are found on the processor, once; a grey one has none.
    statistic = STATISTICS.members["portilla_simoncelli"]()
    evaluate_on_meta(network, list(network.layers()), statistic=statistic, channels=1)


# The second chooses the positions that have a weight.
@pytest.mark.parametrize("statistic", ["gram", "histogram"])
@pytest.mark.parametrize("name", REGIONS.members)
def test_regions_stay_on_their_device(name: str, statistic: str) -> None:
    regions = REGIONS.members[name](**WITH.get(name, {}))
    evaluate_on_meta(*wavelets(), regions=regions, statistic=STATISTICS.members[statistic]())


# Statistics have other ways for regions with soft edges.
@pytest.mark.parametrize("name", [name for name in STATISTICS.members if name not in NO_META])
def test_statistics_in_regions_stay_on_their_device(name: str) -> None:
    statistic = STATISTICS.members[name]()
    if statistic.pools:
        regions = REGIONS.members["grid"](rows=2, columns=2)
        evaluate_on_meta(*wavelets(), statistic=statistic, regions=regions)


@pytest.mark.parametrize("name", PIXEL_CONSTRAINTS.members)
def test_ranges_stay_on_their_device(name: str) -> None:
    evaluate_on_meta(*wavelets(), constraint=PIXEL_CONSTRAINTS.members[name]())


READS = ("cpu", "tolist", "item", "nonzero", "__bool__", "__float__", "__int__", "__index__")


class HostReads:
    """Counts what would wait for a GPU: numbers that are read, and lists that become tensors."""

    def __init__(self) -> None:
        self.reads = self.lists = 0

    def count(self, function: Any, what: str) -> Any:
        def counted(*args: Any, **kwargs: Any) -> Any:
            setattr(self, what, getattr(self, what) + 1)
            return function(*args, **kwargs)

        return counted

    def count_lists(self, function: Any) -> Any:
        def counted(*args: Any, **kwargs: Any) -> Any:
            # Without one, `send_tensor` copies it later, and nobody waits.
            self.lists += kwargs.get("device") is not None
            return function(*args, **kwargs)

        return counted

    @contextmanager
    def watch(self, patch: pytest.MonkeyPatch) -> Iterator[HostReads]:
        with patch.context() as here:
            here.setattr(torch, "tensor", self.count_lists(torch.tensor))
            here.setattr(torch, "equal", self.count(torch.equal, "reads"))
            for name in READS:
                here.setattr(torch.Tensor, name, self.count(getattr(torch.Tensor, name), "reads"))
            yield self


def small_objective(statistic: str = "gram") -> tuple[Objective, torch.Tensor]:
    network, layers = wavelets()
    images = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    term = Term(network=network, layers=tuple(layers), statistic=STATISTICS.members[statistic]())
    keys = (("a", 1), ("b", 2), ("c", 3))
    sources = BatchSources(images.flip(3), torch.arange(3), keys)
    return Objective([term], PIXEL_CONSTRAINTS.members["soft"](), sources), images


@pytest.mark.parametrize("name", [name for name in OPTIMISERS.members if name not in NO_SINGLE_READ])
def test_numbers_are_read_once_an_evaluation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    objective, images = small_objective()
    optimiser, evaluations = OPTIMISERS.members[name](), 30
    batch = optimiser.begin(images, None, noisy=False)
    batch.defers = batch.multiplies = True  # as on a GPU
    run_generator(run_descent(batch, objective, 3, shrink=False))
    batch = optimiser.begin(images, None, noisy=False)
    batch.defers = batch.multiplies = True
    with HostReads().watch(monkeypatch) as counted:
        run_generator(run_descent(batch, objective, evaluations, shrink=False))
    # A line search that ends at an earlier point asks once more.
    assert evaluations <= counted.reads <= 1.2 * evaluations
    assert counted.lists == 0


@pytest.mark.parametrize("name", OPTIMISERS.members)
def test_optimisers_stay_on_their_device_and_wait_for_no_copy(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, chance = torch.Tensor.cpu, torch.Generator().manual_seed(1)

    def read_anything(tensor: torch.Tensor) -> torch.Tensor:
        return torch.rand(tensor.shape, generator=chance) if tensor.device == META else read(tensor)

    def evaluate(points: torch.Tensor, _: torch.Tensor) -> Evaluation:
        return Evaluation(points.square().flatten(1).sum(1, keepdim=True), 2.0 * points)

    pinned: list[torch.Tensor] = []
    monkeypatch.setattr(torch.Tensor, "cpu", read_anything)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: pinned.append(tensor) or tensor)
    monkeypatch.setattr(transfer, "PINNED", frozenset({"meta"}))
    start = torch.empty(3, 3, 8, 8, device=META)
    # Bounds that are read must be in order.
    bounds = (torch.zeros(3, 1, 1, 1), torch.ones(3, 1, 1, 1)) if name == "lbfgsb" else None
    with DeviceWatch() as watch:
        batch = OPTIMISERS.members[name]().begin(start, bounds, noisy=False)
        result = run_generator(run_descent(batch, evaluate, 40, shrink=False))
    assert result.images.device == META
    assert pinned
    assert (watch.waiting, watch.too_precise, watch.without_fixed_bits) == (set(), set(), set())


def test_the_objective_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for statistic in set(STATISTICS.members) - {"portilla_simoncelli"}:
        objective, images = small_objective(statistic)
        rows = torch.arange(3)
        objective(images, rows)
        with HostReads().watch(monkeypatch) as counted:
            objective(images, rows)
        assert (statistic, counted.reads) == (statistic, 0)


def test_answers_that_come_with_the_next_evaluation_change_no_bit() -> None:
    found = []
    for defers in (False, True):
        objective, images = small_objective()
        batch = OPTIMISERS.members["lbfgs"]().begin(images, None, noisy=False)
        batch.defers = defers
        steps = run_descent(batch, objective, 60, shrink=False)
        losses, result = [], None
        while result is None:
            try:
                losses.append(next(steps).losses)
            except StopIteration as end:
                result = end.value
        found.append((torch.from_numpy(np.stack(losses)), result.images))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])
