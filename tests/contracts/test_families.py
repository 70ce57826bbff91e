"""One suite for every member of a family: whoever adds a file is tested by it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter
from torch.nn.functional import avg_pool2d

from stimgen.analysis.page.methods import OTHER_PAPERS, TASK_PAPERS
from stimgen.images.geometry import ReceptiveField
from stimgen.images.matching import PAPERS as MATCHING_PAPERS
from stimgen.images.picture import MaskedPicture, PictureAndSource, ScreenSpec
from stimgen.images.steps import STEPS, GeometryStep, MatchingStep
from stimgen.networks import NETWORKS, DeviceSpec, register_network
from stimgen.networks.trusted_code import trust
from stimgen.networks.weights import WEIGHTS
from stimgen.protocol.load import load_protocol
from stimgen.reading.generators import run_generator
from stimgen.reading.papers import load_papers, resolve_papers
from stimgen.reading.registry import Family, FamilyMember
from stimgen.reading.shipped import PROTOCOLS
from stimgen.statistics import STATISTICS, LayerSize, RandomKey, Statistic, Target
from stimgen.statistics.regions import REGIONS, Pooling, Positions, Regions
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.methods import METHODS, ReferenceInfo, SynthesisBatch, SynthesisItem, SynthesisResult
from stimgen.synthesis.optimisers import OPTIMISERS
from stimgen.synthesis.optimisers.base import DescentConditions
from stimgen.synthesis.optimisers.optimiser_batch import run_descent
from stimgen.synthesis.ranges import PIXEL_CONSTRAINTS, PixelBounds
from stimgen.synthesis.starts import STARTS
from stimgen.synthesis.starts.noise import NormalNoise
from stimgen.workflow.list_experiment_members import EXPERIMENT_FAMILIES
from stimgen.workflow.list_members import FAMILIES, find_members
from stimgen.workflow.schema import format_experiment_schema, format_protocol_schema

# A map of three regions, 34 x 26 pixels.
MAP = Path(__file__).with_name("regions.png")
# Members that cannot be made from their name alone.
NEEDED = {
    "map": {"file": str(MAP)},
    "file": {"file": "weights.safetensors", "sha256": "0" * 64},
    "image": {"file": "start.png"},
    "python": {"use": "contract"},
    "torchvision": {"model": "squeezenet1_1"},
    "timm": {"model": "test_vit"},
    "module": {"file": str(Path(__file__).parents[1] / "own_network.py"), "class": "Recurrent"},
    "normalised": {"base": "random", "file": "means.json", "sha256": "0" * 64},
    "crop": {"box": [1, 2, 16, 15]},
}
# Members that would take long, or larger pictures, as they are.
QUICK = {
    (METHODS, "portilla_simoncelli"): {"scales": 1, "neighbourhood": 3, "coarse_to_fine": 1, "budget": 3},
    (NETWORKS, "steerable_pyramid"): {"scales": 2},
    (STATISTICS, "portilla_simoncelli"): {"neighbourhood": 3},
    (OPTIMISERS, "gradient"): {"length": 0.7, "halve_every": 18},
}
CPU = torch.device("cpu")

# Layouts of few regions, but more than one, for maps of few positions.
FEW = {
    "grid": {"rows": 2},
    "polar": {"scaling": 3.0, "fovea": 0.2},
    "receptive_field": {"rows": 2, "columns": 2},
    "map": {"file": str(MAP), "edge": 4},
}


def blurred(images: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return what a user's network may be."""
    return {"half": avg_pool2d(images, 2), "quarter": avg_pool2d(images, 4)}


trust(NEEDED["module"]["file"])
register_network("contract", blurred, "1", {"half": 3, "quarter": 3}, {"half": 2, "quarter": 4})


def made(family: Family, name: str) -> FamilyMember:
    return family.members[name](**NEEDED.get(name, {}), **QUICK.get((family, name), {}))


def layout_of_few(name: str, statistic: Statistic) -> Regions:
    return REGIONS.members[name](**FEW.get(name, {})) if statistic.pools else made(REGIONS, name)


def every(*families: Family) -> list:
    return [
        pytest.param(family, name, id=f"{family.singular}-{name}")
        for family in families
        for name in family.members
    ]


def of(family: Family) -> list[str]:
    return list(family.members)


EVERY = every(*FAMILIES.values())
members, protocol_schema, experiment_schema = map(
    cache, (find_members, format_protocol_schema, format_experiment_schema)
)


def test_all_families_are_listed() -> None:
    assert list(FAMILIES.values()) == [
        METHODS,
        NETWORKS,
        WEIGHTS,
        STATISTICS,
        REGIONS,
        OPTIMISERS,
        STARTS,
        STEPS,
        PIXEL_CONSTRAINTS,
    ]


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_a_member_round_trips_through_json(family: Family, name: str) -> None:
    member = made(family, name)
    again = TypeAdapter(family.members[name]).validate_python(json.loads(json.dumps(member.to_dict())))
    assert again == member
    assert hash(again) == hash(member)


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_a_member_is_listed_with_one_line_and_in_the_schema(family: Family, name: str) -> None:
    lines = next(entries for key, entries in members().items() if FAMILIES.get(key) is family)
    assert lines[name].endswith(".")
    assert len(lines[name]) < 110
    assert json.dumps(family.members[name].__doc__.split("\n")[0])[1:-1] in protocol_schema()


@pytest.mark.parametrize(("family", "name"), every(*EXPERIMENT_FAMILIES.values()))
def test_a_member_of_experiments_is_listed_with_one_line_and_in_the_schema(family: Family, name: str) -> None:
    lines = next(members()[key] for key, one in EXPERIMENT_FAMILIES.items() if one is family)
    assert lines[name].endswith(".")
    assert len(lines[name]) < 110
    assert json.dumps(family.members[name].__doc__.split("\n")[0])[1:-1] in experiment_schema()


@pytest.mark.parametrize(("family", "name"), [*EVERY, *every(*EXPERIMENT_FAMILIES.values())])
def test_every_field_of_a_member_is_described(family: Family, name: str) -> None:
    for key in family.members[name].model_fields:
        assert key == "name" or family.members[name].describe_field(key)


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_what_a_member_cites_is_known(family: Family, name: str) -> None:
    member = made(family, name)
    resolve_papers([*member.papers, *member.citations()])
    assert 0 < len(member.phrase) < 80
    assert not member.phrase.endswith(".")


def test_every_known_paper_is_cited_by_a_member_or_a_protocol() -> None:
    cited = {paper for family in FAMILIES.values() for cls in family.members.values() for paper in cls.papers}
    cited |= (
        {paper for papers in TASK_PAPERS.values() for paper in papers} | OTHER_PAPERS | {*MATCHING_PAPERS}
    )
    # Members that cite by what their fields say.
    cited |= {"gatys2015", "gatys2016", "vacher2020", "brochard2022"}
    cited |= {
        paper.key for file in PROTOCOLS.files().values() for paper in load_protocol(file).protocol.papers
    }
    assert cited == set(load_papers())


PRECISIONS = (torch.float32, torch.bfloat16)
# Statistics of pixels would be coarse in bfloat16, so that the image stays as precise as it is; transforms
# have no bfloat16.
# A function of the user's computes in whatever it likes.
IN_ITS_OWN_PRECISION = {"pixels", "python", "steerable_pyramid"}


def features_and_gradient(name: str, images: torch.Tensor, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Return a network's first maps, and under ``gradient`` that of their mean squares."""
    network = made(NETWORKS, name)
    leaf = images.clone().requires_grad_(True)
    features = network.load(tuple(network.layers())[:6], DeviceSpec(CPU, dtype))(leaf)
    loss = sum(maps.float().square().mean((1, 2, 3)).sum() for maps in features.values())
    (gradient,) = torch.autograd.grad(loss, leaf)
    return {key: maps.detach() for key, maps in features.items()} | {"gradient": gradient}


def smallest(name: str, at_least: int) -> int:
    """Return a side at which the layers of `features_and_gradient` have a position."""
    network = made(NETWORKS, name)
    return max(at_least, *(network.smallest_side(layer) for layer in list(network.layers())[:6]))


@pytest.mark.parametrize("name", of(NETWORKS))
class TestNetworks:
    def test_layers_have_the_channels_and_sides_that_are_told(self, name: str) -> None:
        network = made(NETWORKS, name)
        layers = list(network.layers())[:8]
        maps = network.load(tuple(layers), DeviceSpec(CPU))(torch.rand(2, 3, 40, 32))
        assert list(maps) == layers
        for layer in layers:
            channels = network.layers()[layer]
            sides = network.map_side(layer, 40), network.map_side(layer, 32)
            assert maps[layer].shape == (2, channels, *sides)

    def test_depths_name_layers(self, name: str) -> None:
        network = made(NETWORKS, name)
        assert network.depths()
        for depth, layers in network.depths().items():
            assert layers[-1] == depth
            assert set(layers) <= set(network.layers())

    def test_smallest_sides_are_smallest(self, name: str) -> None:
        network = made(NETWORKS, name)
        for layer in network.layers():
            side = network.smallest_side(layer)
            assert network.map_side(layer, side) >= 1
            assert network.map_side(layer, side - 1) == 0

    def test_receptive_fields_are_where_the_gradient_is(self, name: str) -> None:
        network = made(NETWORKS, name)
        for layer in list(network.layers())[:6]:
            field = network.receptive_field(layer)
            if field is None:
                continue
            side = 2 * field.size + 3 * field.stride
            images = torch.rand(2, 3, side, side, requires_grad=True)
            maps = network.load((layer,), DeviceSpec(CPU))(images)[layer]
            middle = maps.shape[2] // 2
            (gradient,) = torch.autograd.grad(maps[:, :, middle, middle].square().sum(), images)
            strength = gradient.abs().sum((0, 1, 2))
            # Products of spectra leave rounding errors everywhere.
            seen = (strength > 1e-6 * strength.max()).nonzero()[:, 0]
            centre = field.first + middle * field.stride
            assert seen[0] == centre - (field.size - 1) / 2
            assert seen[-1] == centre + (field.size - 1) / 2

    @pytest.mark.parametrize("dtype", PRECISIONS)
    def test_features_and_gradients_do_not_depend_on_neighbours(self, name: str, dtype: torch.dtype) -> None:
        side = smallest(name, at_least=24)
        images = torch.rand(8, 3, side, side)
        whole = features_and_gradient(name, images, dtype)
        for rows in ([3, 1], [0, 4, 7], [6, 5, 2, 1, 0]):
            part = features_and_gradient(name, images[rows], dtype)
            assert all(torch.equal(whole[key][rows], part[key]) for key in whole)

    @pytest.mark.parametrize("dtype", PRECISIONS)
    def test_features_and_gradients_do_not_depend_on_threads(self, name: str, dtype: torch.dtype) -> None:
        images = torch.rand(3, 3, 40, 40)
        found = []
        before = torch.get_num_threads()
        try:
            for threads in (1, 2, 3):
                torch.set_num_threads(threads)
                found.append(features_and_gradient(name, images, dtype))
        finally:
            torch.set_num_threads(before)
        assert all(torch.equal(found[0][key], other[key]) for other in found[1:] for key in other)

    def test_bfloat16_is_float32_with_fewer_digits(self, name: str) -> None:
        images = torch.rand(2, 3, 40, 40)
        precise, rough = (features_and_gradient(name, images, dtype) for dtype in PRECISIONS)
        for key, expected in precise.items():
            assert torch.equal(rough[key].float(), expected) == (name in IN_ITS_OWN_PRECISION)
            error = (rough[key].float() - expected).square().mean().sqrt()
            # Eight bits of precision, over some layers.
            assert error < 0.03 * expected.square().mean().sqrt()

    def test_recipe_holds_no_path_and_is_json(self, name: str) -> None:
        network = made(NETWORKS, name)
        assert network.recipe()["name"] == name
        assert json.dumps(network.recipe())


def layers_like(
    sides: Sequence[int], dtype: torch.dtype, *, count: int, maps: int = 4
) -> dict[str, torch.Tensor]:
    """Return maps of layers, shallow to deep."""
    return {
        f"layer{i}": torch.rand(count, maps + i, side, side - 1, dtype=dtype) for i, side in enumerate(sides)
    }


def poolings(layout: Regions, sides: Sequence[int]) -> dict[str, Pooling]:
    first = sides[0]
    fields = [ReceptiveField(1 + i, first / side, (first / side - 1) / 2) for i, side in enumerate(sides)]
    return {f"layer{i}": Pooling(layout, (first, first - 1), field) for i, field in enumerate(fields)}


def layers_of_network(
    name: str, layout: Regions, dtype: torch.dtype, count: int
) -> tuple[dict[str, torch.Tensor], dict[str, Pooling]]:
    """Return random maps of all layers of a network for small pictures, and where they are pooled."""
    network = made(NETWORKS, name)
    side = max(network.smallest_side(layer) for layer in network.layers())
    maps = {
        layer: torch.rand(
            count, channels, *(network.map_side(layer, one) for one in (side, 2 * side)), dtype=dtype
        )
        for layer, channels in network.layers().items()
    }
    pooling = Pooling(layout, (side, 2 * side), ReceptiveField())
    return maps, dict.fromkeys(maps, pooling)


def sizes_of_layers(statistic: Statistic, channels: int) -> dict[str, LayerSize]:
    """Return sizes of the layers that a statistic takes."""
    if statistic.needs_network is None:
        return {"a": LayerSize(channels, 20, 20), "b": LayerSize(channels, 10, 10)}
    layers = made(NETWORKS, statistic.needs_network).layers()
    return {name: LayerSize(count, 16, 16, channels) for name, count in layers.items()}


def total(distances: dict[str, torch.Tensor]) -> torch.Tensor:
    # As the objective does it: sums over the first dimension have other bits with other numbers of images.
    return torch.stack(list(distances.values()), dim=1).sum(1)


def pooled(slow: Collection[str] = ()) -> list:
    """Return every statistic with every layout that it can be pooled in; some layouts take long."""
    return [
        pytest.param(
            name, regions, id=f"{name}-{regions}", marks=[pytest.mark.long] if regions in slow else []
        )
        for name, statistic in STATISTICS.members.items()
        for regions in of(REGIONS)
        if statistic.pools or made(REGIONS, regions).is_whole_image
    ]


@pytest.mark.parametrize(("name", "regions"), pooled())
class TestStatistics:
    SIDES: tuple[int, ...] = (10, 5)

    def setting(
        self, name: str, regions: str, count: int, dtype: torch.dtype = torch.float64
    ) -> tuple[Statistic, dict[str, torch.Tensor], dict[str, Target]]:
        statistic = made(STATISTICS, name)
        source, layout = self.layers(statistic, regions, count, dtype)
        targets = statistic.targets(source, layout)
        return statistic, source, statistic.finalize_targets(targets, self.draw(range(count)))

    def layers(
        self, statistic: Statistic, regions: str, count: int, dtype: torch.dtype
    ) -> tuple[dict[str, torch.Tensor], dict[str, Pooling]]:
        layout = layout_of_few(regions, statistic)
        if statistic.needs_network is not None:
            return layers_of_network(statistic.needs_network, layout, dtype, count)
        return layers_like(self.SIDES, dtype, count=count), poolings(layout, self.SIDES)

    @staticmethod
    def draw(keys: Iterable[int]) -> RandomKey:
        return RandomKey(tuple(("source", key) for key in keys), (10, 9))

    def test_no_distance_from_itself_and_some_from_others(self, name: str, regions: str) -> None:
        statistic, source, targets = self.setting(name, regions, 3)
        others = {layer: torch.rand_like(maps) for layer, maps in source.items()}
        assert total(statistic.distances(others, targets)).shape == (3,)
        assert total(statistic.distances(others, targets)).min() > 0
        if not statistic.prior:
            assert total(statistic.distances(source, targets)).max() < 1e-20

    def test_images_do_not_touch_each_other(self, name: str, regions: str) -> None:
        statistic, source, targets = self.setting(name, regions, 5, torch.float32)
        features = {layer: torch.rand_like(maps) for layer, maps in source.items()}
        whole = total(statistic.distances(features, targets))
        order = torch.tensor([4, 2, 0])
        found = statistic.distances(
            {layer: maps[order] for layer, maps in features.items()},
            {layer: target.take(order) for layer, target in targets.items()},
        )
        assert torch.equal(whole[order], total(found))

    def test_parameters_are_counted(self, name: str, regions: str) -> None:
        del regions
        statistic = made(STATISTICS, name)
        few, many = (statistic.count_parameters(sizes_of_layers(statistic, n)) for n in (3, 64))
        assert statistic.prior or 0 < few <= many
        assert statistic.default_layer_weight(4) > 0

    def test_a_target_between_two_sources_ends_in_them(self, name: str, regions: str) -> None:
        statistic = made(STATISTICS, name)
        if statistic.prior:
            return
        (one, layout), (other, _) = (self.layers(statistic, regions, 2, torch.float64) for _ in range(2))
        sources = one, other
        first, second = (statistic.targets(source, layout) for source in sources)
        for weight, source in zip((0.0, 1.0), sources, strict=True):
            mixed = {layer: statistic.interpolate(first[layer], second[layer], weight) for layer in first}
            found = statistic.distances(source, statistic.finalize_targets(mixed, self.draw(range(2))))
            assert total(found).max() < 1e-20


@pytest.mark.parametrize(("name", "regions"), pooled(slow=[name for name in of(REGIONS) if name != "grid"]))
def test_gradients_of_statistics_are_right(name: str, regions: str) -> None:
    # Distances of sorted values have kinks where two are equal; these random maps are not near one.
    torch.manual_seed(1)
    suite = TestStatistics()
    suite.SIDES = (7, 4)  # each number of the maps takes two evaluations
    statistic, source, targets = suite.setting(name, regions, 2)
    features = [torch.rand_like(maps, requires_grad=True) for maps in source.values()]
    assert torch.autograd.gradcheck(
        lambda *maps: total(statistic.distances(dict(zip(source, maps, strict=True)), targets)),
        features,
        # One random direction where there are thousands of numbers.
        fast_mode=statistic.needs_network is not None,
    )


@pytest.mark.parametrize("name", of(METHODS))
class TestMethods:
    SHAPE = (32, 32, 1)

    def items(self) -> list[SynthesisItem]:
        rng = np.random.default_rng(1)
        sources = [rng.random(self.SHAPE, dtype=np.float32) for _ in range(2)]
        keys = [("first", 1), ("second", 1), ("first", 2)]
        start = NormalNoise()
        return [
            SynthesisItem(sources[key[0] == "second"], start.pixels(self.SHAPE, key, None), key[0], key)
            for key in keys
        ]

    def results(self, name: str, items: list[SynthesisItem]) -> SynthesisResult:
        for package in METHODS.members[name].packages:
            pytest.importorskip(package)
        return run_generator(made(METHODS, name).run(SynthesisBatch(items, max(2, len(items))), CPU))

    def test_every_stimulus_is_made_as_if_alone(self, name: str) -> None:
        items = self.items()
        found = self.results(name, items)
        assert len(found.images) == len(found.traces) == len(found.reasons) == 3
        for item, image in zip(items, found.images, strict=True):
            assert image.shape == self.SHAPE
            assert image.dtype == np.float32
            np.testing.assert_array_equal(self.results(name, [item]).images[0], image)

    def test_seeds_matter_where_they_are_said_to(self, name: str) -> None:
        first, other, again = self.results(name, self.items()).images
        assert not np.array_equal(first, other)
        assert np.array_equal(first, again) == (not METHODS.members[name].seeded)

    def test_a_probe_has_the_same_scales_with_few_evaluations(self, name: str) -> None:
        method = METHODS.members[name](**NEEDED.get(name, {}))
        few = [(w, h, 2 if count else 0) for w, h, count in method.schedule(512, 256)]
        assert method.limit_evaluations(2).schedule(512, 256) == few

    def test_recipe_is_json_and_names_the_method(self, name: str) -> None:
        recipe = json.loads(json.dumps(made(METHODS, name).recipe(ReferenceInfo())))
        assert recipe["settings"]["method"] == name
        assert recipe["terms"] == []
        assert made(METHODS, name).estimate_memory(32, 32, 1) > 0


@pytest.mark.parametrize("name", of(REGIONS))
def test_weights_of_regions_sum_to_one(name: str) -> None:
    layout = made(REGIONS, name)
    assert layout.sums_to_one
    total = np.zeros((13, 17))
    windows = layout.windows(Positions(13, 17, (13, 17), ReceptiveField()))
    for window in windows:
        weights = np.ones(window.shape) if window.weights is None else window.weights
        assert window.total == pytest.approx(weights.sum())
        total[window.rows, window.columns] += weights
    np.testing.assert_allclose(total, 1.0, atol=1e-12)
    assert len(windows) == layout.count_regions(17, 13)


@pytest.mark.parametrize("name", of(OPTIMISERS))
class TestOptimisers:
    # Pictures of 5 x 6 numbers, because an optimiser may know how pictures vary.
    CURVATURES = torch.logspace(0, 2, 30).reshape(1, 5, 6)

    def minimum(
        self, name: str, start: torch.Tensor, bounds: PixelBounds | None = None, *, shrink: bool = True
    ) -> torch.Tensor:
        def evaluate(images: torch.Tensor, rows: torch.Tensor) -> Evaluation:
            assert len(images) == len(rows) >= 2
            if bounds is not None:
                lower, upper = bounds
                assert (images >= lower[rows]).all()
                assert (images <= upper[rows]).all()
            parts = torch.stack(
                [(self.CURVATURES * images**2).flatten(1).sum(1), torch.zeros(len(images))], dim=1
            )
            return Evaluation(parts, 2 * self.CURVATURES * images)

        batch = made(OPTIMISERS, name).begin(start, bounds, noisy=False)
        return run_generator(run_descent(batch, evaluate, 150, shrink=shrink)).images

    def test_lowers_the_objective(self, name: str) -> None:
        start = 0.3 * torch.randn(3, 1, 5, 6, generator=torch.Generator().manual_seed(1))
        assert (self.minimum(name, start) ** 2).sum() < 1e-3 * (start**2).sum()

    def test_images_do_not_touch_each_other(self, name: str) -> None:
        start = torch.randn(5, 1, 5, 6, generator=torch.Generator().manual_seed(1))
        whole = self.minimum(name, start)
        assert torch.equal(self.minimum(name, start[[3, 1]]), whole[[3, 1]])
        assert torch.equal(self.minimum(name, start, shrink=False), whole)

    def test_noise_is_borne_where_it_is_said_to_be(self, name: str) -> None:
        if not OPTIMISERS.members[name].handles_noise:
            return
        start = 0.3 * torch.randn(3, 1, 5, 6, generator=torch.Generator().manual_seed(1))
        rng = torch.Generator().manual_seed(2)

        def evaluate(images: torch.Tensor, rows: torch.Tensor) -> Evaluation:
            del rows
            # Each evaluation looks from elsewhere, and loses more or less.
            seen = images + 0.1 * torch.randn(images.shape, generator=rng)
            return Evaluation((seen**2).flatten(1).sum(1, keepdim=True), 2 * seen)

        noise = DescentConditions(noisy=True)
        found = run_generator(made(OPTIMISERS, name).minimise(evaluate, start, 300, noise)).images
        assert (found**2).sum() < 0.1 * (start**2).sum()

    def test_bounds_are_kept_where_they_are_said_to_be(self, name: str) -> None:
        if not OPTIMISERS.members[name].keeps_bounds:
            return
        start = 0.3 * torch.randn(3, 1, 5, 6, generator=torch.Generator().manual_seed(1))
        lower = torch.tensor([[-1.0], [0.1], [-0.3]]).repeat(1, 30).reshape(3, 1, 5, 6)
        upper = torch.tensor([[1.0], [0.5], [-0.2]]).repeat(1, 30).reshape(3, 1, 5, 6)
        found = self.minimum(name, start, PixelBounds(lower, upper))
        nearest = torch.tensor([[0.0], [0.1], [-0.2]]).repeat(1, 30).reshape(3, 1, 5, 6)
        torch.testing.assert_close(found, nearest, atol=0.01, rtol=0.0)


@pytest.mark.parametrize("name", of(PIXEL_CONSTRAINTS))
class TestRanges:
    @staticmethod
    def pixels(low: float = -0.5, high: float = 1.5) -> torch.Tensor:
        values = torch.rand(5, 3, 7, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        return low + (high - low) * values

    def test_variables_stand_for_pixels(self, name: str) -> None:
        member, pixels = made(PIXEL_CONSTRAINTS, name), self.pixels(0.05, 0.95)
        torch.testing.assert_close(member.to_pixels(member.to_variables(pixels)), pixels)

    def test_pixels_out_of_range_have_variables_too(self, name: str) -> None:
        member = made(PIXEL_CONSTRAINTS, name)
        found = member.to_pixels(member.to_variables(self.pixels()))
        assert torch.isfinite(found).all()
        assert (found - self.pixels()).abs().max() < 0.51

    def test_what_is_in_range_costs_nothing(self, name: str) -> None:
        member = made(PIXEL_CONSTRAINTS, name)
        assert member.cost(self.pixels(0.0, 1.0)).tolist() == [0.0] * 5
        assert member.cost(self.pixels()).min() >= 0.0

    def test_gradients_are_right(self, name: str) -> None:
        member = made(PIXEL_CONSTRAINTS, name)
        variables = member.to_variables(self.pixels()).requires_grad_(True)
        assert torch.autograd.gradcheck(member.to_pixels, variables)
        assert torch.autograd.gradcheck(lambda x: member.cost(member.to_pixels(x)), variables)

    def test_images_do_not_touch_each_other(self, name: str) -> None:
        member, pixels, order = made(PIXEL_CONSTRAINTS, name), self.pixels().float(), torch.tensor([4, 2])

        def gradient(variables: torch.Tensor) -> torch.Tensor:
            leaf = variables.clone().requires_grad_(True)
            found = member.to_pixels(leaf)
            return torch.autograd.grad(found.square().sum() + member.cost(found).sum(), leaf)[0]

        for verb in (member.to_pixels, member.to_variables, member.cost, gradient):
            assert torch.equal(verb(pixels)[order], verb(pixels[order]))
        bounds, part = member.bounds(pixels), member.bounds(pixels[order])
        assert (bounds is not None) == member.bounded
        for whole, some in zip(bounds or (), part or (), strict=True):
            assert torch.equal(whole[order], some)

    def test_a_source_is_within_its_bounds(self, name: str) -> None:
        sources = self.pixels(0.0, 1.0)
        lower, upper = made(PIXEL_CONSTRAINTS, name).bounds(sources) or (sources - 1.0, sources + 1.0)
        assert (lower <= sources).all()
        assert (sources <= upper).all()


@pytest.mark.parametrize("name", of(STARTS))
@pytest.mark.parametrize("channels", [1, 3])
def test_starts_have_the_shape_asked_for(name: str, channels: int) -> None:
    start = made(STARTS, name)
    wanted = (6, 5, channels if start.wants_source else 3)
    picture = np.full(wanted, 0.25, dtype=np.float32) if start.picture or start.wants_source else None
    pixels = start.pixels((6, 5, channels), ("source", 1), picture)
    assert pixels.shape == (6, 5, channels)
    assert pixels.dtype == np.float32
    assert json.dumps(start.recipe("0" * 64))


@pytest.mark.parametrize("name", of(STEPS))
@pytest.mark.parametrize("channels", [1, 3])
class TestSteps:
    SCREEN = ScreenSpec("srgb", 0.25)

    def pair(self, channels: int) -> PictureAndSource:
        rng = np.random.default_rng(2)
        pictures = rng.random((2, 20, 24, channels), dtype=np.float32)
        weights = 0.5 + 0.5 * rng.random((20, 24))
        return PictureAndSource(
            *(MaskedPicture.from_pixels(pixels, self.SCREEN).apply_mask(weights) for pixels in pictures)
        )

    def test_the_size_is_told_and_shared_with_the_source(self, name: str, channels: int) -> None:
        step = made(STEPS, name)
        found = step.apply(self.pair(channels))
        width, height = step.size(24, 20)
        assert found.picture.pixels.shape == found.source.pixels.shape == (height, width, channels)
        assert found.picture.pixels.dtype == np.float32
        assert np.array_equal(found.picture.weights, found.source.weights)
        assert found.picture.screen == found.source.screen == self.SCREEN

    def test_the_arguments_stay_as_they_are(self, name: str, channels: int) -> None:
        pair, again = self.pair(channels), self.pair(channels)
        made(STEPS, name).apply(pair)
        for before, now in ((again.picture, pair.picture), (again.source, pair.source)):
            assert np.array_equal(before.pixels, now.pixels)
            assert np.array_equal(before.weights, now.weights)

    def test_it_changes_values_or_places_and_not_both(self, name: str, channels: int) -> None:
        step, pair = made(STEPS, name), self.pair(channels)
        found = step.apply(pair)
        if isinstance(step, GeometryStep):
            assert set(found.picture.pixels.ravel()) <= set(pair.picture.pixels.ravel())
            assert set(found.source.pixels.ravel()) <= set(pair.source.pixels.ravel())
        else:
            assert np.array_equal(found.picture.weights, pair.picture.weights)
            assert found.source is pair.source

    def test_a_matching_step_reaches_its_source(self, name: str, channels: int) -> None:
        step, pair = made(STEPS, name), self.pair(channels)
        if isinstance(step, MatchingStep):
            found = step.apply(pair)
            assert step.measure(found.picture) == pytest.approx(step.measure(pair.source), abs=1e-5)
            assert step.with_target(0.3).target == 0.3
