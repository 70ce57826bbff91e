"""Converts the colours that a file declares, by a profile or by a gamma and primaries, to those of sRGB."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from stimgen.images.light import from_light, to_light
from stimgen.reading.errors import StimgenError

Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""x and y of white, red, green and blue (CIE 1931)."""
SRGB: Chromaticities = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
DISPLAY_P3: Chromaticities = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
ADOBE_RGB: Chromaticities = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
ADOBE_EXPONENT = 563 / 256
# libpng and browsers take a gamma within 5 % of 1/2.2 for that of sRGB.
USUAL_GAMMA, GAMMA_TOLERANCE = 1 / 2.2, 0.05
ROWS = 256
# Cone-like responses of the Bradford transform, which ICC profiles use for other whites.
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
CANNOT = "its colour profile cannot be used"
AS_STORED = "say `colour: as_stored` to take its numbers as they are"


@dataclass(frozen=True)
class DeclaredColour:
    """Says what a file declares of its colours; nothing means sRGB."""

    profile: bytes | None = None
    """ICC profile, which takes precedence."""
    exponent: float | None = None
    """Power that makes light of values; None: the curve of sRGB."""
    chromaticities: Chromaticities = SRGB
    source: str = ""
    """Which part of the file says so, for records."""

    @property
    def is_linear(self) -> bool:
        """Return whether values are light with the primaries of sRGB."""
        return self.profile is None and self.exponent == 1.0 and self.has_srgb_primaries

    @property
    def has_srgb_primaries(self) -> bool:
        """Return whether white and primaries are those of sRGB, up to rounding."""
        return bool(np.allclose(self.chromaticities, SRGB, atol=0.002))

    def converts(self, grey: bool) -> bool:
        """Return whether values are to be converted, apart from what a profile says."""
        return self.exponent is not None or not (grey or self.has_srgb_primaries)


def read_gamma(gamma: float | None, chromaticities: Chromaticities | None, source: str) -> DeclaredColour:
    """Return what a PNG file's gAMA (1/2.2: about sRGB) and cHRM chunks say.

    Raises `StimgenError` if they are no possible colours.
    """
    exponent = None
    if gamma is not None:
        if gamma <= 0:
            raise StimgenError("declares an impossible gamma", hint=AS_STORED)
        exponent = None if abs(gamma / USUAL_GAMMA - 1) <= GAMMA_TOLERANCE else 1 / gamma
    found = DeclaredColour(exponent=exponent, chromaticities=chromaticities or SRGB, source=source)
    _matrix_to_srgb(found.chromaticities)
    return found


def convert_declared(levels: NDArray[Any], colour: DeclaredColour) -> NDArray[np.float32]:
    """Return sRGB-encoded float32 values of levels with another gamma or other primaries.

    Colours outside of sRGB are clipped to it. The white of other primaries is adapted by the Bradford
    transform.
    """
    grey = levels.shape[2] == 1
    matrix = None if grey or colour.has_srgb_primaries else _matrix_to_srgb(colour.chromaticities)
    values = np.empty(levels.shape, np.float32)
    for start in range(0, len(levels), ROWS):  # in parts, because float64 needs eight times the memory
        encoded = scale_to_unit(levels[start : start + ROWS])
        light = to_light(encoded, "srgb") if colour.exponent is None else encoded**colour.exponent
        light = light if matrix is None else light @ matrix.T
        values[start : start + ROWS] = from_light(np.clip(light, 0.0, 1.0), "srgb")
    return values


def scale_to_unit(levels: NDArray[Any]) -> NDArray[np.float64]:
    """Return levels as float64 with 1 for white; floats have it already."""
    largest = np.iinfo(levels.dtype).max if levels.dtype.kind == "u" else 1.0
    scaled: NDArray[np.float64] = levels.astype(np.float64) / largest
    return scaled


def _matrix_to_srgb(chromaticities: Chromaticities) -> NDArray[np.float64]:
    try:
        adapted = _adapt_white(chromaticities) @ _matrix_to_xyz(chromaticities)
        matrix: NDArray[np.float64] = np.linalg.solve(_matrix_to_xyz(SRGB), adapted).astype(np.float64)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        matrix = np.full((3, 3), np.nan)
    if not np.isfinite(matrix).all():
        raise StimgenError("declares impossible primaries", hint=AS_STORED)
    return matrix


def _matrix_to_xyz(chromaticities: Chromaticities) -> NDArray[np.float64]:
    white, *primaries = _list_xyz(chromaticities)
    columns = np.array(primaries).T
    matrix: NDArray[np.float64] = columns * np.linalg.solve(columns, white)
    return matrix


def _adapt_white(chromaticities: Chromaticities) -> NDArray[np.float64]:
    found, wanted = (BRADFORD @ _list_xyz(colours)[0] for colours in (chromaticities, SRGB))
    matrix: NDArray[np.float64] = np.linalg.inv(BRADFORD) @ np.diag(wanted / found) @ BRADFORD
    return matrix


def _list_xyz(chromaticities: Chromaticities) -> list[NDArray[np.float64]]:
    pairs = zip(chromaticities[::2], chromaticities[1::2], strict=True)
    return [np.array([x / y, 1.0, (1.0 - x - y) / y]) for x, y in pairs]


def describe_profile(data: bytes) -> str:
    """Return the name of an ICC profile, in one line; raise `StimgenError` if it is damaged."""
    return " ".join(ImageCms.getProfileDescription(_open_profile(data)).split())[:100]


@cache
def is_profile_needed(data: bytes, space: str) -> bool:
    """Return whether a profile changes pictures of a colour space: not if it is sRGB's own.

    Raises `StimgenError` if the profile is damaged or for another space.
    """
    profile = _open_profile(data)
    kind = profile.profile.xcolor_space.strip()
    if space == "grey" and kind != "GRAY":
        return False  # a profile for colours does not apply to a grey picture
    if kind != {"grey": "GRAY", "rgb": "RGB", "cmyk": "CMYK"}[space]:
        raise StimgenError(f"{CANNOT} (it is for {kind}, the picture is {space})", hint=AS_STORED)
    # Also others are called after sRGB: "GIMP built-in Linear sRGB".
    return "srgb" not in describe_profile(data).lower() or not _is_nearly_srgb(data, space)


def convert_profile(levels: NDArray[Any], data: bytes, space: str) -> NDArray[Any]:
    """Return the sRGB levels, of 8 or 16 bits, of levels with an ICC profile.

    LittleCMS converts with perceptual intent. Raises `StimgenError` if it cannot.
    """
    if levels.dtype == np.uint8:
        return _convert_8_bits(levels, data)
    if levels.dtype != np.uint16:
        levels = np.rint(np.clip(levels.astype(np.float64), 0.0, 1.0) * 65535.0).astype(np.uint16)
    return _convert_16_bits(levels, data, space)


def _convert_8_bits(levels: NDArray[np.uint8], data: bytes) -> NDArray[np.uint8]:
    channels = levels.shape[2]
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[channels]
    image = Image.frombytes(mode, levels.shape[1::-1], levels.tobytes())
    try:
        srgb = ImageCms.createProfile("sRGB")
        # Without optimisation, because the shortened tables for greys are wrong by up to ten dark levels.
        exact = ImageCms.Flags.NOOPTIMIZE
        converted = ImageCms.profileToProfile(image, _open_profile(data), srgb, outputMode="RGB", flags=exact)
    except (ImageCms.PyCMSError, OSError) as error:
        raise StimgenError(f"{CANNOT} ({error})", hint=AS_STORED) from None
    if converted is None:
        raise StimgenError(CANNOT, hint=AS_STORED)
    found = np.asarray(converted.convert("L") if channels == 1 else converted)
    return found[:, :, np.newaxis] if found.ndim == 2 else found


def _convert_16_bits(levels: NDArray[np.uint16], data: bytes, space: str) -> NDArray[np.uint16]:
    import imagecodecs

    transform: Callable[..., NDArray[np.uint16]] = imagecodecs.cms_transform
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    try:
        converted = transform(
            np.ascontiguousarray(levels[:, :, 0] if space == "grey" else levels),
            data,
            srgb,
            colorspace="gray" if space == "grey" else space,
            outcolorspace="rgb",
            outdtype="uint16",
            flags=int(ImageCms.Flags.NOOPTIMIZE),
        )
    except (RuntimeError, ValueError) as error:
        raise StimgenError(f"{CANNOT} ({error})", hint=AS_STORED) from None
    return converted[:, :, 1:2] if space == "grey" else converted


def _open_profile(data: bytes) -> ImageCms.ImageCmsProfile:
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(data))
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise StimgenError(f"{CANNOT} ({error})", hint=AS_STORED) from None


def _is_nearly_srgb(data: bytes, space: str) -> bool:
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    probe = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    probe = probe if space == "rgb" else steps.reshape(1, -1, 1)
    found = _convert_8_bits(np.ascontiguousarray(probe), data)
    return bool(np.abs(found.astype(int) - probe).max() <= 12)
