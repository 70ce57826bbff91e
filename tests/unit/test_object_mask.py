"""Cut-outs: masks by transparency, by a key colour and by lightness, with their edges."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from stimgen.images.object_mask import soften_edge, spread_colours
from stimgen.images.prepare import Preparation
from stimgen.images.read import ImageFile
from stimgen.images.source_pipeline import SourceFiles, SourceKeyError, SourcePipeline, SourcePresentation
from stimgen.protocol.load import load_protocol
from stimgen.reading.errors import StimgenError
from stimgen.workflow.plan import describe_plan

RED, GREEN, WHITE = (200, 30, 40), (0, 255, 0), (255, 255, 255)
OBJECT = np.zeros((40, 40), dtype=bool)
OBJECT[10:30, 8:28] = True


def file(levels: NDArray[Any]) -> SourceFiles:
    buffer = io.BytesIO()
    Image.fromarray(levels.astype(np.uint8)).save(buffer, "PNG")
    return SourceFiles(ImageFile(Path("photo.png"), buffer.getvalue()))


def paint(inside: tuple[int, ...], outside: tuple[int, ...]) -> SourceFiles:
    return file(np.where(OBJECT[:, :, np.newaxis], inside, outside))


def pipeline(size: int = 40, resampling: str = "lanczos", **said: Any) -> SourcePipeline:
    preparation = Preparation.model_validate({"size": size, "resampling": resampling})
    return SourcePipeline(preparation, SourcePresentation.model_validate(said))


MASKED = [
    pytest.param("alpha", paint((*RED, 255), (*GREEN, 0)), id="alpha"),
    pytest.param({"alpha": True}, paint((*RED, 255), (0, 0, 0, 0)), id="alpha, black below"),
    pytest.param({"key": "#00FF00"}, paint(RED, GREEN), id="key"),
    pytest.param({"key": "#10f010", "tolerance": 0.1}, paint(RED, GREEN), id="about the key"),
    pytest.param({"threshold": 0.9}, paint(RED, WHITE), id="white"),
    pytest.param({"threshold": 0.1, "background": "black"}, paint(RED, (9, 0, 9)), id="black"),
]


@pytest.mark.parametrize(("mask", "photo"), MASKED)
def test_the_object_alone_is_left(mask: Any, photo: SourceFiles) -> None:
    pixels = pipeline(mask=mask, background=0.25).compute_input(photo).pixels
    assert np.array_equal(pixels[OBJECT], np.tile(np.float32(RED) / np.float32(255), (400, 1)))
    assert (pixels[~OBJECT] == np.float32(0.25)).all()


@pytest.mark.parametrize(("mask", "photo"), MASKED)
@pytest.mark.parametrize("resampling", ["lanczos", "box"])
def test_the_background_does_not_shine_through_where_pictures_are_resampled(
    mask: Any, photo: SourceFiles, resampling: str
) -> None:
    """All pixels mix the object's colour with the background, in light, and nothing else."""
    pixels = pipeline(13, resampling, mask=mask, background=0.0).compute_input(photo).pixels
    light = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    red = np.array(RED) / 255
    red_light = np.where(red <= 0.04045, red / 12.92, ((red + 0.055) / 1.055) ** 2.4)
    share = light[:, :, 0] / red_light[0]
    assert np.allclose(light, share[:, :, np.newaxis] * red_light, atol=2e-5)
    assert 0.0 < np.mean((share > 0.05) & (share < 0.95)) < 0.4


def test_the_softness_of_alpha_is_kept() -> None:
    alpha = np.clip(np.arange(40) * 255 // 20, 0, 255)
    levels = np.dstack([np.full((40, 40, 3), 255), np.tile(alpha, (40, 1))])
    found = pipeline(mask="alpha", background=0.0).prepare_picture(file(levels)).weights
    assert np.allclose(found, np.tile(alpha, (40, 1)) / 255)


def test_pixels_beyond_the_tolerance_become_object_step_by_step() -> None:
    """Greys k / 255 lie at sqrt((k^2 + (255 - k)^2 + k^2) / 3) / 255 from green."""
    levels = np.tile(np.arange(0, 240, 6)[np.newaxis, :, np.newaxis], (40, 1, 3))
    levels[:20] = GREEN
    mask = {"key": "#00ff00", "tolerance": 0.5, "softness": 0.1}
    found = pipeline(mask=mask).prepare_picture(file(levels)).weights
    k = np.arange(0, 240, 6) / 255
    distance = np.sqrt((2 * k**2 + (1 - k) ** 2) / 3)
    assert np.allclose(found[30], np.clip((distance - 0.5) / 0.1, 0, 1), atol=1e-6)
    assert (found[5] == 0).all()


def test_white_inside_the_object_is_no_background() -> None:
    levels = np.where(OBJECT[:, :, np.newaxis], RED, WHITE)
    levels[15:20, 15:20] = 255
    found = pipeline(mask={"threshold": 0.9}).prepare_picture(file(levels)).weights
    assert np.array_equal(found == 1.0, OBJECT)


def test_a_feather_is_half_a_cosine_inside_the_edge() -> None:
    weights = np.zeros((9, 40))
    weights[:, 10:] = 1.0
    found = soften_edge(weights, 8.0)
    depth = np.arange(30) + 0.5
    assert np.allclose(found[4, 10:], np.where(depth < 8, (1 - np.cos(np.pi * depth / 8)) / 2, 1.0))
    assert (found[:, :10] == 0).all()
    assert (found[:, -1] == 1).all()  # the picture's border is no edge
    assert np.array_equal(soften_edge(weights, 0.0), weights)


def test_a_feather_of_a_file_is_part_of_the_identity() -> None:
    photo = paint(RED, WHITE)
    mask = file(255 * OBJECT[:, :, np.newaxis].repeat(3, axis=2)).image
    both = SourceFiles(photo.image, mask)
    plain, same, soft = (
        pipeline(mask=said) for said in ("m.png", {"file": "m.png"}, {"file": "m.png", "feather": 4})
    )
    assert plain.recipe(both) == same.recipe(both)
    assert soft.recipe(both)["mask"] == {"sha256": mask.sha256, "feather": 4.0}
    assert soft.prepare_picture(both).weights.sum() < plain.prepare_picture(both).weights.sum()


def test_hidden_pixels_take_the_colour_of_the_nearest_visible_one() -> None:
    levels = np.arange(10)[np.newaxis, :, np.newaxis] + np.zeros((3, 1, 1), dtype=int)
    solid = np.zeros((3, 10), dtype=bool)
    solid[:, 2:5] = True
    assert spread_colours(levels, solid)[1, :, 0].tolist() == [2, 2, 2, 3, 4, 4, 4, 4, 4, 4]


@pytest.mark.parametrize(
    ("mask", "photo", "told"),
    [
        ("alpha", paint(RED, GREEN), "mask: photo.png: the mask hides nothing of this picture"),
        ("alpha", paint((*RED, 255), (*RED, 255)), "the mask hides nothing"),
        ("alpha", paint((*RED, 0), (*RED, 0)), "the mask leaves nothing of the picture"),
        ({"key": "#ff00ff"}, paint(RED, GREEN), "no pixel is within 0.3 of the key #ff00ff"),
        ({"key": "#00ff00", "tolerance": 1.0}, paint(RED, GREEN), "the mask leaves nothing"),
        ({"threshold": 0.5}, paint(RED, RED), "the mask hides nothing"),
    ],
)
def test_a_mask_that_does_nothing_or_everything_is_refused(mask: Any, photo: SourceFiles, told: str) -> None:
    with pytest.raises(SourceKeyError) as caught:
        pipeline(mask=mask).compute_input(photo)
    assert told in str(caught.value)
    assert caught.value.key == "mask"


def test_the_colour_of_the_border_is_suggested_as_key() -> None:
    with pytest.raises(SourceKeyError, match="the picture's border is about #00ff00"):
        pipeline(mask={"key": "#0000ff"}).compute_input(paint(RED, GREEN))


@pytest.mark.parametrize(
    "mask",
    [
        {"key": "green"},
        {"key": "#00ff0"},
        {"key": "#00ff00", "tolerance": 1.5},
        {"key": "#00ff00", "feather": -1},
        {"threshold": 300},
        {"alpha": False},
        {"feather": 3},
        {"key": "#00ff00", "threshold": 0.5},
        {},
        3,
    ],
)
def test_a_mask_that_means_nothing_is_refused(mask: Any) -> None:
    with pytest.raises(ValidationError):
        SourcePresentation.model_validate({"mask": mask})


def write_protocol(folder: Path, mask: str) -> Path:
    (folder / "cut.png").write_bytes(paint((*RED, 255), (*GREEN, 0)).image.data)
    text = f"name: p\nsources:\n  - file: cut.png\n    size: 32\n    mask: {mask}\n"
    (folder / "p.yaml").write_text(text + "conditions: [{id: a, method: original}]\n")
    return folder / "p.yaml"


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        ('{key: "#ff00ff"}', "p.yaml:5: mask: cut.png: no pixel is within"),
        ('{key: "#12345"}', "p.yaml:5: sources[0].mask.key: should match pattern"),
        ('{key: "#123456", tolerance: 2}', "p.yaml:5: sources[0].mask.tolerance: should be less than or"),
        (
            "{tolerance: 0.2}",
            "p.yaml:5: sources[0].mask: a mask has one of these keys\n  allowed: file",
        ),
        ("{alhpa: true}", "a mask has one of these keys"),
        ('{key: "#123456", tolerence: 0.3}', "did you mean 'tolerance'?"),
    ],
)
def test_mistakes_are_told_with_file_and_line(tmp_path: Path, mask: str, told: str) -> None:
    with pytest.raises(StimgenError) as caught:
        describe_plan(load_protocol(write_protocol(tmp_path, mask)))
    assert told in str(caught.value).replace(f"{tmp_path}/", "")


def test_a_transparent_picture_without_a_mask_is_told_what_to_write(tmp_path: Path) -> None:
    file = write_protocol(tmp_path, "alpha")
    assert describe_plan(load_protocol(file))["sources"][0]["presentation"]["mask"]["alpha"] is True
    file.write_text(file.read_text().replace("    mask: alpha\n", ""))
    from stimgen.protocol.plan import make_plan

    with pytest.raises(StimgenError, match="`mask: alpha` shows its opaque parts"):
        make_plan(load_protocol(file)).sources[0].pixels()
