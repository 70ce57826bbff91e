"""Terms of pixels measure the image itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stimgen.images.write import decode_png
from stimgen.networks import DeviceSpec
from stimgen.networks.pixels import Pixels
from stimgen.protocol.load import load_protocol
from stimgen.stimulus_set import StimulusSet
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.objective import Objective
from stimgen.synthesis.ranges.free import Unconstrained
from stimgen.synthesis.term import Term
from stimgen.workflow.generate import GenerateOptions, generate_set


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_the_layer_is_the_image_in_its_own_precision(dtype: torch.dtype, precision: torch.dtype) -> None:
    images = torch.rand(2, 3, 5, 4, dtype=precision)
    (found,) = Pixels().load(("rgb",), DeviceSpec(torch.device("cpu"), dtype))(images).values()
    assert torch.equal(found, images)
    assert found.dtype == precision


def test_a_grey_image_is_all_three_colours() -> None:
    grey = torch.rand(2, 1, 5, 4)
    found = Pixels().load(("rgb",), DeviceSpec(torch.device("cpu")))(grey)["rgb"]
    assert torch.equal(found, grey.repeat(1, 3, 1, 1))


def test_luma_is_that_of_grey_sources() -> None:
    colours = np.random.default_rng(2).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    images = torch.from_numpy(colours.transpose(2, 0, 1)[np.newaxis] / 255.0)
    found = Pixels().load(("luma",), DeviceSpec(torch.device("cpu")))(images)
    assert set(found) == {"luma"}
    grey = np.asarray(Image.fromarray(colours).convert("L"), dtype=np.float64)
    assert np.abs(found["luma"][0, 0].numpy() * 255 - grey).max() <= 0.51  # Pillow rounds
    assert torch.equal(
        Pixels().load(("luma",), DeviceSpec(torch.device("cpu")))(images[:, :1])["luma"], images[:, :1]
    )


def test_a_centred_gram_of_pixels_is_the_covariance_of_the_colours() -> None:
    rng = np.random.default_rng(1)
    source, image = rng.random((2, 6, 7, 3))
    mean = source.mean((0, 1))
    wanted, found = (np.einsum("yxc,yxd->cd", p - mean, p - mean) / 42 for p in (source, image))
    expected = np.square(found - wanted).sum() / np.square(wanted).sum()
    images = torch.from_numpy(np.stack([source, image]).transpose(0, 3, 1, 2))
    term = Term(network="pixels", layers=["rgb"], statistic={"centred": True, "normalisation": "relative"})
    objective = Objective(
        [term], Unconstrained(), BatchSources(images[:1], torch.tensor([0, 0])), torch.float64
    )
    parts = objective.measure(images, torch.arange(2))
    np.testing.assert_allclose(parts[:, 0], [0.0, expected], rtol=1e-12, atol=1e-15)


def test_a_protocol_with_a_term_of_pixels_matches_the_colours(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "name: p\nsources: [{file: skimage:coffee, size: 32}]\nsynthesis: {evaluations: 30}\n"
        "conditions: [{id: a, network: pixels, layers: [rgb]}]\n"
    )
    assert (
        generate_set(load_protocol(tmp_path / "p.yaml"), tmp_path / "set", GenerateOptions("cpu")).made == 1
    )
    stimuli = StimulusSet(tmp_path / "set")
    (record,) = stimuli.records.values()
    assert record.content.network[0].weights_sha256 is None
    assert not record.content.network[0].validated_with_observers
    files = (record.content.file, record.content.source.original.file)
    made, original = (decode_png(stimuli.store.read(file), tmp_path).reshape(-1, 3) / 255 for file in files)
    made, original = made - original.mean(0), original - original.mean(0)
    np.testing.assert_allclose(made.T @ made / 1024, original.T @ original / 1024, atol=0.003)
