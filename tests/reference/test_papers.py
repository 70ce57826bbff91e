"""Protocols of papers: published numbers of parameters, layers, evaluations; what they say of themselves."""

from __future__ import annotations

import re
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import PlannedCondition, ProtocolPlan, make_plan
from stimgen.reading.shipped import PROTOCOLS
from stimgen.synthesis.methods import ObjectiveMethod

FILES = {name: file for name, file in PROTOCOLS.files().items() if file.parent.name == "papers"}

# Maps and convolutions of VGG-19's blocks (Simonyan & Zisserman 2015, table 1, column E).
MAPS = (64, 128, 256, 512, 512)
CONVOLUTIONS = (2, 2, 4, 4, 4)


def pairs(maps: int) -> int:
    """Return how many different entries a symmetric matrix has."""
    return sum(range(1, maps + 1))


FIRSTS = list(accumulate(pairs(maps) for maps in MAPS))  # relu1_1, then relu2_1, ...
POOLS = list(accumulate([pairs(MAPS[0]), *(pairs(maps) for maps in MAPS[:4])]))  # relu1_1, then pool1, ...
WHOLE = sum(pairs(maps) * (count + 1) for maps, count in zip(MAPS[:4], CONVOLUTIONS, strict=False))

# The code of Jagadeesh & Gardner cuts 256 pixels into strips of 85, 85, 85 and 1 for three regions a side.
STRIPS = {1: 1, 2: 2, 3: 4, 4: 4}


def test_counts_of_the_formulas_are_those_that_the_papers_print() -> None:
    # Wallis et al. (2017): "2,080", ...; Gatys et al. (2015): 177k, 852k, 10k and 1k.
    assert FIRSTS == [2_080, 10_336, 43_232, 174_560, 305_888]
    assert POOLS == [2_080, 4_160, 12_416, 45_312, 176_640]
    assert WHOLE == 852_128
    assert (5 * pairs(64), 5 * pairs(20)) == (10_400, 1_050)


PARAMETERS: dict[str, dict[str, int]] = {
    "gatys2015": {"pool4": 176_640},
    "gatys2015_layers": {
        "conv1_1": POOLS[0],
        "pool1": POOLS[1],
        "pool2": POOLS[2],
        "pool3": POOLS[3],
        "pool4": 176_640,
        "all-to-pool4": 852_128,
    },
    "gatys2015_pca": {"components-20": 1_050, "components-64": 10_400, "all-components": 176_640},
    "gatys2015_notebook": {"pool4": 176_640},
    "gatys2016_reconstructions": {
        **{
            f"content-conv{n}_{i}": maps * (256 // 2 ** (n - 1)) ** 2
            for n, maps in enumerate(MAPS, start=1)
            for i in (1, 2)
        },
        **{f"style-conv{n}_1": count for n, count in enumerate(FIRSTS, start=1)},
    },
    "gatys2016_style_transfer": {
        f"ratio-{ratio}": 512 * 64 * 64 + 305_888 for ratio in ("1e-3", "8e-4", "5e-3", "5e-4")
    },
    "ustyuzhaninov2017": dict.fromkeys(
        ["multiscale", "multiscale-linear", *(f"single-{size}" for size in (3, 7, 11, 23, 37, 55))],
        pairs(1024),
    ),
    "wallis2017_cnn": {f"conv{n}": count for n, count in enumerate(FIRSTS, start=1)},
    "feather2023": {
        f"relu{n}_{i}": maps * (224 // 2 ** (n - 1)) ** 2
        for n, (maps, i) in enumerate(zip(MAPS, CONVOLUTIONS, strict=True), start=1)
    },
    "jagadeesh2022": {
        f"pool{depth}-{n}x{n}": STRIPS[n] ** 2 * POOLS[depth] for depth in (1, 2, 4) for n in STRIPS
    },
    "vacher2020_interpolation": {f"t-{k / 10}": sum(map(pairs, (64, 64, 128, 128, 256))) for k in range(11)},
}


EVALUATIONS = {
    "feather2023": 8 * 3000,
    "gatys2015": 2000,
    "gatys2015_layers": 2000,
    "gatys2015_pca": 2000,
    "gatys2015_notebook": 1000 * 25,
    "ustyuzhaninov2017": 4000,
    "wallis2017_cnn": 1000,
    "wallis2017_powerspec": 2000,
    "jagadeesh2022": 10_000,
    "heitz2021": 64 * 80,
}


def made(name: str) -> ProtocolPlan:
    return make_plan(load_protocol(name))


def synthesised(plan: ProtocolPlan) -> list[PlannedCondition]:
    """Return the conditions that are not the original."""
    return [
        condition for condition in plan.conditions if condition.method.to_dict().get("name") != "original"
    ]


def objective(condition: PlannedCondition) -> ObjectiveMethod:
    assert isinstance(condition.method, ObjectiveMethod)
    return condition.method


def comment(name: str) -> str:
    """Return the comment that a protocol opens with, without its first line, as one line."""
    lines = FILES[name].read_text(encoding="utf-8").split("\n")[1:]
    end = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    return " ".join(line[1:].strip() for line in lines[:end])


def test_all_papers_are_there() -> None:
    assert set(FILES) == {
        "freeman2013",
        "feather2023",
        "freeman_simoncelli2011",
        "gatys2015",
        "gatys2015_layers",
        "gatys2015_notebook",
        "gatys2015_pca",
        "gatys2016_reconstructions",
        "gatys2016_style_transfer",
        "heitz2021",
        "jagadeesh2022",
        "texform_fast",
        "texform_long",
        "ustyuzhaninov2017",
        "vacher2020_interpolation",
        "wallis2017_cnn",
        "wallis2017_powerspec",
        "wallis2017_ps",
        "ziemba2016",
    }


@pytest.mark.parametrize("name", FILES)
class TestEvery:
    def test_says_what_it_reproduces_and_what_differs(self, name: str) -> None:
        said = comment(name)
        assert re.search(r"\((19|20)\d\d\)", said)
        assert re.search(r"arXiv:|doi:|openreview\.net|Conference", said)
        assert re.search(r"As published|As in the notebook", said)
        assert "different" in said.lower()
        assert "change" in said
        assert "`file:`" in said
        assert "[recalled]" not in said

    def test_is_citable(self, name: str) -> None:
        protocol = load_protocol(name).protocol
        assert [author.name for author in protocol.authors] == ["The stimgen authors"]
        assert protocol.licence == "CC0-1.0"
        assert protocol.notes
        assert all(source.credit for source in (*protocol.sources, *protocol.references))

    def test_takes_own_pictures_by_one_line(self, name: str, tmp_path: Path) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (520, 530, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "mine.png")
        text = FILES[name].read_text(encoding="utf-8")
        changed, count = re.subn(r"file: skimage:\w+", "file: mine.png", text, count=1)
        assert count == 1
        (tmp_path / "p.yaml").write_text(changed, encoding="utf-8")
        own, shipped = make_plan(load_protocol(tmp_path / "p.yaml")), made(name)
        assert own.sources[0].name == "mine.png"
        assert len(own.stimuli) == len(shipped.stimuli)
        kept = {s.id for s in own.stimuli} & {s.id for s in shipped.stimuli}
        # Those of other pictures stay as they were.
        assert kept == {s.id for s in shipped.stimuli if s.source.id != shipped.sources[0].id}


@pytest.mark.parametrize("name", PARAMETERS)
def test_models_have_the_published_number_of_parameters(name: str) -> None:
    plan = made(name)
    found = {
        condition.id: condition.method.count_parameters(*reversed(condition.sources[0].shape[:2]))
        for condition in synthesised(plan)
    }
    assert found == PARAMETERS[name]


@pytest.mark.parametrize("name", EVALUATIONS)
def test_syntheses_are_as_long_as_the_published_at_one_scale(name: str) -> None:
    for condition in synthesised(made(name)):
        for source in condition.sources:
            height, width, _ = source.shape
            assert condition.schedule(source.shape) == [[width, height, EVALUATIONS[name]]]


GATYS2015 = ("gatys2015", "gatys2015_layers", "gatys2015_pca")
NORMALISED = (
    "wallis2017_cnn",
    "wallis2017_powerspec",
    "jagadeesh2022",
    "gatys2016_style_transfer",
    "heitz2021",
)


class TestSettings:
    @pytest.mark.parametrize("name", [*GATYS2015, *NORMALISED])
    def test_networks_pool_the_average(self, name: str) -> None:
        for condition in synthesised(made(name)):
            networks = {term.network.name: term.network for term in objective(condition).terms}
            assert networks["vgg19"].pooling == "average"

    @pytest.mark.parametrize("name", [*GATYS2015, *NORMALISED])
    def test_the_line_in_the_comment_rescales_the_network(self, name: str, tmp_path: Path) -> None:
        text = FILES[name].read_text(encoding="utf-8")
        assert "stimgen weights normalize" in text
        (line,) = re.findall(r"# (weights: \{name: normalised.*\})", text)
        changed = text.replace("  weights: imagenet\n", f"  {line.replace('HASH', 'ab' * 32)}\n")
        (tmp_path / "p.yaml").write_text(changed, encoding="utf-8")
        for condition in synthesised(make_plan(load_protocol(tmp_path / "p.yaml"))):
            networks = {term.network.name: term.network for term in objective(condition).terms}
            assert networks["vgg19"].weights.name == "normalised"
            assert networks["vgg19"].weights.base.name == "imagenet"

    @pytest.mark.parametrize("name", GATYS2015)
    def test_gatys_bounds_pixels_by_the_source(self, name: str) -> None:
        for condition in made(name).conditions:
            synthesis = objective(condition).synthesis
            assert synthesis.optimiser.to_dict() == {"name": "lbfgsb", "history": 20, "tolerance": 0.0}
            assert synthesis.range.to_dict() == {"name": "bounds", "of": "source"}
            # Normal noise of unit variance about 0 where 255 x the mean colour of ImageNet was subtracted.
            assert synthesis.start.mean == (0.48501961, 0.45795686, 0.40760392)
            assert synthesis.start.deviation == pytest.approx(1 / 255, rel=1e-5)
            assert all(term.statistic.normalisation == "gatys2015" for term in objective(condition).terms)

    def test_only_the_paper_s_notebook_matches_histograms(self) -> None:
        steps = {name: load_protocol(name).protocol.after for name in GATYS2015}
        assert [step.name for step in steps["gatys2015"]] == ["histogram"]
        assert steps["gatys2015_layers"] == steps["gatys2015_pca"] == ()

    def test_families_of_both_papers_are_the_same_pictures_of_equal_luminance_and_contrast(self) -> None:
        families, small = made("freeman2013"), made("ziemba2016")
        assert {s.id for s in small.stimuli} < {s.id for s in families.stimuli}
        # 15 samples of each family and kind: 450 pictures of the papers' 15 families.
        assert len(small.stimuli) == len(small.sources) * 15 * 2
        (ps, noise) = (condition.method.to_dict() for condition in small.conditions)
        assert (ps["name"], ps["scales"], ps["orientations"], ps["neighbourhood"]) == (
            "portilla_simoncelli",
            4,
            4,
            7,
        )
        assert noise["name"] == "phase_scrambled"
        steps = [step.name for step in load_protocol("ziemba2016").protocol.after]
        # Measured behind the window.
        assert steps == ["flat_top", "luminance", "contrast"]

    def test_the_notebook_in_pytorch_pools_the_maximum(self) -> None:
        (condition,) = made("gatys2015_notebook").conditions
        (term,) = objective(condition).terms
        assert term.network.pooling == "maximum"
        assert term.network.weights.name == "imagenet"
        # In the notebook 1e9, which is too large for float32 unless the network's weights are rescaled.
        assert term.layer_weights == dict.fromkeys(["relu1_1", "pool1", "pool2", "pool3", "pool4"], 1.0)
        assert objective(condition).synthesis.optimiser.history == 100

    def test_metamers_descend_as_the_authors_code(self) -> None:
        protocol = load_protocol("feather2023").protocol
        assert protocol.proof is not None
        for condition in made("feather2023").conditions:
            (term,) = objective(condition).terms
            assert list(term.layer_weights) == [condition.id]
            assert term.network.pooling == "maximum"
            synthesis = objective(condition).synthesis
            assert synthesis.optimiser.to_dict() == {"name": "gradient", "length": 1.0, "halve_every": 3000}
            assert synthesis.range.to_dict() == {"name": "bounds", "of": "unit"}
            assert (synthesis.start.mean, synthesis.start.deviation) == (0.5, 0.05)

    def test_reconstructions_measure_one_picture_each(self) -> None:
        for condition in made("gatys2016_reconstructions").conditions:
            (term,) = objective(condition).terms
            kind = condition.id.split("-")[0]
            assert [source.id for source in condition.sources] == [
                {"content": "photograph", "style": "painting"}[kind]
            ]
            assert term.statistic.name == {"content": "content", "style": "gram"}[kind]
            assert list(term.layer_weights)[-1] == "relu" + condition.id.removeprefix(f"{kind}-conv")
            assert len(term.layer_weights) == (1 if kind == "content" else int(condition.id[-3]))

    def test_style_transfer_weighs_content_by_alpha_and_style_by_beta(self) -> None:
        for condition in made("gatys2016_style_transfer").conditions:
            content, style = objective(condition).terms
            assert content.weight / style.weight == float(condition.id.removeprefix("ratio-"))
            assert content.layer_weights == {"relu4_2": 1.0}
            assert content.target is None
            assert style.layer_weights == {f"relu{n}_1": 0.2 for n in range(1, 6)}
            assert style.target is not None
            assert (style.target.picture, style.target.weight) == ("style", 1.0)

    @pytest.mark.parametrize("name", ["wallis2017_cnn", "wallis2017_powerspec", "wallis2017_ps"])
    def test_wallis_made_ten_grey_stimuli_of_16_bits(self, name: str) -> None:
        plan = made(name)
        assert [source.shape for source in plan.sources] == [(256, 256, 1)]
        assert load_protocol(name).protocol.output.bits == 16
        for condition in synthesised(plan):
            assert len(plan.stimuli_of(condition)) == 10
            assert condition.sources[0].spec.resampling == "bicubic"

    def test_steps_of_adam_are_two_of_255_levels(self) -> None:
        for condition in synthesised(made("jagadeesh2022")):
            assert objective(condition).synthesis.optimiser.step == pytest.approx(2 / 255, rel=1e-5)

    def test_directions_are_redrawn_only_where_the_optimiser_averages(self) -> None:
        kept, redrawn = (objective(condition) for condition in made("heitz2021").conditions)
        rectified = [
            f"relu{n}_{i}" for n, count in enumerate(CONVOLUTIONS[:4], 1) for i in range(1, count + 1)
        ]
        for method in (kept, redrawn):
            (term,) = method.terms
            assert term.layer_weights == dict.fromkeys(rectified, 1.0)
            assert term.statistic.directions is None  # as many as a layer has maps
        assert (kept.synthesis.optimiser.name, kept.terms[0].statistic.redraw) == ("lbfgs", False)
        assert (redrawn.synthesis.optimiser.name, redrawn.terms[0].statistic.redraw) == ("adam", True)

    def test_textures_lie_between_two_in_steps_of_a_tenth(self) -> None:
        weights = []
        for condition in made("vacher2020_interpolation").conditions:
            (term,) = objective(condition).terms
            assert term.statistic.centred
            assert term.target is not None
            assert term.target.along == "wasserstein"
            weights.append(term.target.weight)
        assert weights == [k / 10 for k in range(11)]

    def test_powerspec_adds_half_as_many_parameters_as_pixels(self) -> None:
        (condition,) = synthesised(made("wallis2017_powerspec"))
        grams, spectrum = objective(condition).terms
        assert grams.count_parameters(256, 256) == 176_640
        assert spectrum.count_parameters(256, 256) == 32_768
        assert spectrum.weight / grams.weight == 1e5


class TestPeriphery:
    def test_objects_are_placed_and_cut_out_as_published(self) -> None:
        plan = made("texform_long")
        (source,) = plan.sources
        assert source.shape == (640, 640, 1)
        pixels = source.pixels()[:, :, 0].astype(np.float64) * 255
        assert np.allclose(pixels[:, 300:340], 130, atol=0.01)
        left, right = (pixels[230:410, centre - 90 : centre + 90] for centre in (100, 540))
        assert np.array_equal(left, right)
        # Mean 130 and deviation 20 of 255 of what is seen through the window that stands for a mask.
        y, x = np.mgrid[:180, :180] + 0.5 - 90
        window = np.clip((90 - np.hypot(x, y)) / 6, 0, 1)
        weights = 0.5 - 0.5 * np.cos(np.pi * window)
        seen = np.where(weights > 0, 130 + (left - 130) / np.maximum(weights, 1e-9), 130)
        assert np.average(seen, weights=weights) == pytest.approx(130, abs=0.05)
        assert np.average((seen - 130) ** 2, weights=weights) == pytest.approx(20**2, rel=0.01)
        (step,) = load_protocol("texform_long").protocol.after
        assert step.box == (320 + 220 - 96, 320 - 96, 192, 192)

    def test_scaling_and_aspect_are_the_papers(self) -> None:
        expected = {
            "texform_long": {"texform": (0.5, 1.0)},
            "texform_fast": {f"scaling-{s}": (s, 1.0) for s in (0.3, 0.5, 0.7)},
            "freeman_simoncelli2011": {f"scaling-{s}": (s, 2.0) for s in (0.25, 0.5, 1.0)},
        }
        for name, wanted in expected.items():
            regions = {c.id: objective(c).terms[0].regions for c in synthesised(made(name))}
            assert {key: (r.scaling, r.aspect) for key, r in regions.items()} == wanted
            assert {r.overlap for r in regions.values()} == {0.5}

    def test_fixation_of_fast_texforms_is_outside(self) -> None:
        (condition, *_) = synthesised(made("texform_fast"))
        x, y = objective(condition).terms[0].regions.fixation
        # Matlab counts pixels from 1: the centre of pixel 946 lies 945.5 from the left border.
        assert x * 640 == pytest.approx(945.5, abs=0.05)
        assert y * 640 == pytest.approx(319.5, abs=0.05)

    @pytest.mark.parametrize("name", ["texform_fast", "freeman_simoncelli2011"])
    def test_larger_scaling_means_fewer_parameters(self, name: str) -> None:
        plan = made(name)
        height, width, _ = plan.sources[0].shape
        counts = [condition.method.count_parameters(width, height) for condition in synthesised(plan)]
        assert counts == sorted(counts, reverse=True)
        assert counts[-1] < counts[0] / 2
