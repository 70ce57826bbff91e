"""Portilla & Simoncelli's statistics against plenoptic's, and the synthesis from them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stimgen import generate
from stimgen.networks import plenoptic_package
from stimgen.reading import extras
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import normal
from stimgen.synthesis.methods import METHODS
from stimgen.synthesis.plenoptic_model import PlenopticModel, PortillaSimoncelliObjective

CPU = torch.device("cpu")
SHAPE = (2, 4, 5)


def textured(side: int = 32, seed: int = 1) -> torch.Tensor:
    """Return smooth noise that leaves [0, 1] here and there."""
    noise = normal(side * side, "texture", seed).reshape(side, side)
    smooth = noise + np.roll(noise, 1, axis=0) + np.roll(noise, (2, 1), axis=(0, 1))
    return torch.from_numpy(0.5 + 0.2 * smooth)[None, None]


def method(**fields: int) -> object:
    return METHODS.members["portilla_simoncelli"](**fields)


class TestAgainstPlenoptic:
    @pytest.fixture
    def plenoptic(self) -> Iterator[object]:
        package = pytest.importorskip("plenoptic")
        threads = torch.get_num_threads()
        # As the method computes: sums over more threads differ in their last bits.
        torch.set_num_threads(1)
        try:
            yield package
        finally:
            torch.set_num_threads(threads)

    @pytest.mark.parametrize("shape", [(1, 4, 3), SHAPE, (2, 3, 7), (3, 2, 7), (2, 6, 3)])
    def test_target_and_number_of_statistics(self, plenoptic: object, shape: tuple[int, int, int]) -> None:
        image = textured(64)
        scales, orientations, neighbourhood = shape
        theirs = plenoptic.models.PortillaSimoncelli((64, 64), scales, orientations, neighbourhood).double()
        found = PlenopticModel((64, 64), shape, CPU).measure_target(image)
        torch.testing.assert_close(found, theirs(image), rtol=0, atol=0)
        ours = method(scales=scales, orientations=orientations, neighbourhood=neighbourhood)
        assert ours.count_parameters(64, 64) == found.numel()

    def test_loss_and_gradient_are_plenoptics_own(self, plenoptic: object) -> None:
        source, images = textured(), torch.cat([textured(seed=2), textured(seed=3)])
        model = PlenopticModel((32, 32), SHAPE, CPU)
        found = PortillaSimoncelliObjective(model, [model.measure_target(source)] * 2, 0.1)(
            images, torch.arange(2)
        )
        theirs = plenoptic.models.PortillaSimoncelli((32, 32), 2, 4, 5).double()
        loss = plenoptic.loss.portilla_simoncelli_loss_factory(theirs, source)
        for i in range(2):
            leaf = images[[i]].requires_grad_(True)
            expected = torch.stack(
                [loss(theirs(leaf), theirs(source)), 0.1 * plenoptic.regularize.penalize_range(leaf)]
            )
            assert expected[1] > 0
            torch.testing.assert_close(found.parts[i], expected.detach(), rtol=1e-12, atol=0)
            (gradient,) = torch.autograd.grad(expected.sum(), leaf)
            torch.testing.assert_close(found.gradient[[i]], gradient, rtol=1e-9, atol=1e-12)

    def test_steps_go_from_coarse_to_fine_as_plenoptics(self, plenoptic: object) -> None:
        image, model = textured(), PlenopticModel((32, 32), SHAPE, CPU)
        theirs = plenoptic.models.PortillaSimoncelli((32, 32), 2, 4, 5).double()
        order = ["pixel_statistics", "residual_lowpass", 1, 0]
        assert model.coarse_to_fine_scales() == [tuple(order[:count]) for count in range(1, 5)]
        for scales in model.coarse_to_fine_scales():
            some = model.select_statistics(model.measure_target(image), scales)
            torch.testing.assert_close(some, theirs(image, scales=list(scales)), rtol=0, atol=0)

    def test_copies_that_fill_a_batch_are_not_computed_again(
        self, plenoptic: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del plenoptic
        source, image, model = textured(), textured(seed=2), PlenopticModel((32, 32), SHAPE, CPU)
        whole, calls = PortillaSimoncelliObjective(model, [model.measure_target(source)], 0.1), []
        statistics = model.statistics
        monkeypatch.setattr(model, "statistics", lambda *given: calls.append(1) or statistics(*given))
        found = whole(image.expand(3, -1, -1, -1), torch.arange(3))
        assert len(calls) == 1
        assert torch.equal(found.parts[0], found.parts[2])
        assert found.gradient.shape == (3, 1, 32, 32)

    def test_threads_do_not_matter(self, plenoptic: object) -> None:
        """At a size whose sums torch splits among threads."""
        del plenoptic
        model = PlenopticModel((192, 192), (1, 2, 3), CPU)
        before, found = torch.get_num_threads(), []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            whole = PortillaSimoncelliObjective(model, [model.measure_target(textured(192))], 0.1)
            found.append(whole(textured(192, 2), torch.arange(1)))
            assert torch.get_num_threads() == threads
        torch.set_num_threads(before)
        assert torch.equal(found[0].parts, found[1].parts)
        assert torch.equal(found[0].gradient, found[1].gradient)


def test_the_papers_number_of_parameters() -> None:
    assert method().count_parameters(256, 256) == 710
    assert method(neighbourhood=9).count_parameters(256, 256) == 1046


PROTOCOL = """
name: portilla-simoncelli
sources:
  - {file: "skimage:grass", id: grass}
preparation: {size: 64, channels: grey}
seeds: [1]
output: {snapshots: 40}
conditions:
  - id: ps
    method: {name: portilla_simoncelli, scales: 3, neighbourhood: 7, coarse_to_fine: 4, budget: 80}
"""


def test_a_protocol(tmp_path: Path) -> None:
    pytest.importorskip("plenoptic")
    file = tmp_path / "ps.yaml"
    file.write_text(PROTOCOL)
    state = torch.get_rng_state()
    stimuli = generate(file, tmp_path / "set")
    assert torch.equal(torch.get_rng_state(), state)
    (record,) = stimuli.records.values()
    content = record.content
    assert content.parameters == 529
    assert [scale[2] for scale in content.schedule] == [4] * 5 + [80]
    assert content.losses.end.total < content.losses.start.total / 15
    assert content.losses.saved.total < content.losses.start.total / 15
    assert set(content.losses.end.parts) == {"statistics", "range"}
    assert record.made.versions["plenoptic"] == metadata.version("plenoptic")
    assert "versions" not in content.settings
    trace = (stimuli.folder / content.trace.file).read_text().splitlines()
    assert trace[0] == "scale,evaluation,total,statistics,range"
    assert len(trace) == 101
    # Of every step from coarse to fine the first and the last picture, of the rest every 40th too.
    taken = [(snapshot.scale, snapshot.evaluation) for snapshot in content.snapshots.files]
    assert taken == [(i, n) for i in range(5) for n in (1, 4)] + [(5, 1), (5, 40), (5, 80)]


def test_one_that_fails_does_not_touch_the_others(tmp_path: Path) -> None:
    """A picture of one grey has no correlations."""
    pytest.importorskip("plenoptic")
    for name, levels in (
        ("flat", np.full((16, 16), 99)),
        ("noise", np.arange(256).reshape(16, 16) * 37 % 251),
    ):
        Image.fromarray(levels.astype(np.uint8)).save(tmp_path / f"{name}.png")
    file = tmp_path / "ps.yaml"
    file.write_text(
        "name: ps\nsources: [{file: flat.png}, {file: noise.png}]\npreparation: {size: 16}\nconditions:\n"
        "  - {id: ps, method: {name: portilla_simoncelli, scales: 1, neighbourhood: 3, budget: 2}}\n"
    )
    with pytest.raises(StimgenError, match="not finite"):
        generate(file, tmp_path / "set")
    assert len(list((tmp_path / "set" / "records").rglob("*.json"))) == 1


class TestRefusals:
    def refused(self, tmp_path: Path, change: tuple[str, str]) -> str:
        file = tmp_path / "ps.yaml"
        assert change[0] in PROTOCOL
        file.write_text(PROTOCOL.replace(*change))
        with pytest.raises(StimgenError) as caught:
            generate(file, tmp_path / "set")
        assert not (tmp_path / "set").exists()
        return str(caught.value)

    def test_colour(self, tmp_path: Path) -> None:
        text = self.refused(tmp_path, ("channels: grey", "channels: colour"))
        assert "condition 'ps', source 'grass': the source is in colour" in text
        assert "channels: grey" in text

    @pytest.mark.parametrize("size", ["60", "56", "[64, 100]"])
    def test_sizes(self, tmp_path: Path, size: str) -> None:
        text = self.refused(tmp_path, ("size: 64", f"crop: none, size: {size}"))
        assert "sides must be multiples of 8, the smallest 64" in text
        assert "source 'grass'" in text

    def test_an_even_neighbourhood(self, tmp_path: Path) -> None:
        assert "write 9" in self.refused(tmp_path, ("neighbourhood: 7", "neighbourhood: 8"))

    def test_a_missing_package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(module: str) -> None:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)

        monkeypatch.setattr(extras, "import_module", missing)
        text = self.refused(tmp_path, ("portilla-simoncelli\n", "ps\n"))
        assert "`portilla_simoncelli` needs plenoptic, which is not installed" in text
        assert 'pip install "stimgen[plenoptic]"' in text

    def test_an_old_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(plenoptic_package, "import_optional", lambda *_: None)
        monkeypatch.setattr(metadata, "version", lambda _: "1.3.1")
        with pytest.raises(StimgenError, match=r"needs plenoptic 2 or later; 1\.3\.1 is installed"):
            method().load(CPU)

    def test_a_device_without_double_precision(self) -> None:
        pytest.importorskip("plenoptic")
        with pytest.raises(StimgenError, match="needs float64, which mps lacks"):
            method().load(torch.device("mps"))
