"""Reads the pictures of instructions, and draws the pages that show them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from stimgen.experiment.design.trial import Box
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.session_flow import Instructions
from stimgen.images.light import Encoding, from_light, to_light
from stimgen.images.read import ImageFile, read_image_file
from stimgen.images.write import as_8_bit_image
from stimgen.reading.errors import StimgenError


@dataclass(frozen=True)
class PagePicture:
    """Holds a picture of the instructions."""

    name: str
    """Path of the file from the experiment's folder, as the experiment says it."""
    image: ImageFile

    @property
    def sha256(self) -> str:
        """Return the hash of the file's bytes."""
        return self.image.sha256

    def draw(self, size: tuple[int, int], background: tuple[int, int, int], box: Box, to: Encoding) -> Frame:
        """Return a frame of the screen with the picture in the middle of a box, smaller if it does not fit.

        `to` is the screen's encoding; the picture's own is sRGB.
        """
        picture = as_8_bit_image(self.image.decode()).convert("RGB")
        left, top, width, height = box
        picture.thumbnail((width, height), Image.Resampling.LANCZOS)
        pixels = np.asarray(picture, np.uint8)
        if to != "srgb":
            light = to_light(pixels.astype(np.float64) / 255, "srgb")
            pixels = np.round(255 * from_light(light, to)).astype(np.uint8)
        tall, wide = pixels.shape[:2]
        return Frame(size, background, left + (width - wide) // 2, top + (height - tall) // 2, pixels)


def load_page_pictures(loaded: LoadedExperiment, texts: Instructions) -> dict[str, PagePicture]:
    """Return the pictures of the instructions in one language, by the path that the experiment says.

    Raises `StimgenError` if one is missing, is not a picture, or lies outside of the experiment's folder.
    """
    names = dict.fromkeys(texts.pictures.values())
    return {name: PagePicture(name, _read(loaded.folder, name)) for name in names}


def check_page_pictures(loaded: LoadedExperiment) -> None:
    """Raise `StimgenError`, with file and line, if a picture of the instructions cannot be shown."""
    for language, texts in loaded.experiment.instructions.items():
        for name, file in texts.pictures.items():
            with loaded.at("instructions", language, "pictures", name):
                _check(loaded.folder, file)


def list_page_pictures(loaded: LoadedExperiment) -> Iterator[PagePicture]:
    """Yield the pictures of the instructions in all languages, each once."""
    found: dict[str, PagePicture] = {}
    for texts in loaded.experiment.instructions.values():
        found |= load_page_pictures(loaded, texts)
    yield from found.values()


def _check(folder: Path, name: str) -> None:
    try:
        _read(folder, name).decode()
    except StimgenError as error:
        # The error is about the file; the experiment's line is what is to be changed.
        missing = not (folder / name).exists()
        others = _list_pictures((folder / name).parent) if missing else []
        raise StimgenError(
            f"{name!r}: {error.message}", given=Path(name).name, allowed=others, hint=error.hint
        ) from None


def _list_pictures(folder: Path) -> list[str]:
    endings = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
    return sorted(file.name for file in folder.glob("*.*") if file.suffix.lower() in endings)


def _read(folder: Path, name: str) -> ImageFile:
    """Return a file in a folder; links that lead out of it are refused, as is every other way."""
    file, path = folder / name, PurePosixPath(name)
    leads_out = path.is_absolute() or ".." in path.parts or "\\" in name
    if leads_out or not file.resolve().is_relative_to(folder.resolve()):
        raise StimgenError(
            "it does not lie in the experiment's folder",
            hint=f"copy the picture into {folder} and write its path from there, with forward slashes",
        )
    return read_image_file(file)
