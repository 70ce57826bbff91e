"""A table of files, format by depth by colours by transparency by orientation by frames, and their pixels."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import imagecodecs
import numpy as np
import pillow_heif
import pytest
import scipy.io
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from picture_files import (
    ADOBE_XYZ,
    P3_XYZ,
    bmp,
    chrm,
    chunk,
    exif_adobe_rgb,
    exif_orientation,
    from_colorants,
    from_lab,
    gama,
    icc,
    icc_cmyk,
    iccp,
    npy,
    png,
    saved,
    srgb_decoded,
    srgb_encoded,
    tiff,
)
from PIL import Image, ImageSequence

from stimgen.images.prepare import Preparation
from stimgen.images.read import ImageFile
from stimgen.images.readers import READERS
from stimgen.images.readers.base import SourceReading
from stimgen.images.write import as_pixels, encode_array, encode_png, quantise
from stimgen.reading.errors import StimgenError

Array = NDArray[Any]
RNG = np.random.default_rng(11)
HEIGHT, WIDTH = 12, 16
C8: Array = RNG.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
G8: Array = C8[:, :, :1]
C16: Array = RNG.integers(0, 65536, (HEIGHT, WIDTH, 3), dtype=np.uint16)
G16: Array = C16[:, :, :1]
FLOATS: Array = RNG.random((HEIGHT, WIDTH, 3)).astype(np.float32)
OTHER: Array = C8[::-1]
Y, X = np.mgrid[0:48, 0:64]
SMOOTH: Array = np.stack([40 + 3 * X, 60 + 2 * Y, 200 - 2 * X], -1).astype(np.uint8)
CORNERS = np.stack([20 + 4.5 * np.arange(16), 20 * np.sin(np.arange(16)), 20 * np.cos(np.arange(16))], 1)
INKS: Array = np.array([[c, m, y, k] for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)])
CMYK: Array = np.repeat(255 * INKS.reshape(1, 16, 4), 12, 0).astype(np.uint8)

# Largest errors: of rounding to 8 bits after a conversion, of LittleCMS with 16 bits, of lossy compression.
# Published primaries have five digits, which is up to 0.002 near black.
LEVEL, CMS_16, LOSSY = 1.01 / 255, 0.0008, 7 / 255


class Row(NamedTuple):
    """One file, and the pixels in [0, 1] that are right, height x width x channels."""

    data: Callable[[], bytes]
    wanted: Array
    tolerance: float = 0.0
    reading: dict[str, Any] = {}
    name: str = "photo"


def unit(levels: Array) -> NDArray[np.float64]:
    return levels / (np.iinfo(levels.dtype).max if levels.dtype.kind == "u" else 1.0)


def with_alpha(levels: Array, alpha: int) -> Array:
    return np.dstack([levels, np.full(levels.shape[:2], alpha, levels.dtype)])


def tif(*pages: Array, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for page in pages:
            writer.write(page, photometric="rgb" if page.shape[-1] == 3 else "minisblack", **options)
    return buffer.getvalue()


def animation(kind: str, **options: Any) -> bytes:
    first, second = Image.fromarray(C8), Image.fromarray(OTHER)
    return saved(first, kind, save_all=True, append_images=[second], **options)


def gif_frame(i: int) -> Array:
    frames = ImageSequence.all_frames(Image.open(io.BytesIO(animation("GIF"))))
    return unit(np.asarray(frames[i].convert("RGB")))


def heic(*frames: Array, **options: Any) -> bytes:
    buffer, made = io.BytesIO(), pillow_heif.HeifFile()
    for levels in frames:
        made.add_from_pillow(Image.fromarray(levels))
    made.save(buffer, quality=95, chroma=444, **options)
    return buffer.getvalue()


def deep_heic() -> bytes:
    buffer = io.BytesIO()
    deep = (SMOOTH.astype(np.uint16) * 257).tobytes()
    pillow_heif.from_bytes(mode="RGB;16", size=(64, 48), data=deep).save(buffer, quality=95, chroma=444)
    return buffer.getvalue()


def mat(variables: dict[str, Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, variables, **options)
    return buffer.getvalue()


def hdf(datasets: dict[str, Array], matlab_class: str | None = None) -> bytes:
    buffer = io.BytesIO()
    start = b"MATLAB 7.3 MAT-file".ljust(512, b" ") if matlab_class else b""
    with h5py.File(buffer, "w", userblock_size=512 if matlab_class else 0) as opened:
        for name, array in datasets.items():
            opened[name] = array
            if matlab_class:
                opened[name].attrs["MATLAB_class"] = np.bytes_(matlab_class)
    return start + buffer.getvalue()[len(start) :]


def npz(**arrays: Array) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def jp2(levels: Array, **options: Any) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(levels, level=0, codecformat="jp2", **options))


BITS = RNG.integers(0, 2, (HEIGHT, WIDTH, 1))
NIBBLES = RNG.integers(0, 16, (HEIGHT, WIDTH, 1))
PALETTE = RNG.integers(0, 256, (16, 3), dtype=np.uint8)
PLTE = chunk(b"PLTE", PALETTE.tobytes())
LOOKED_UP = unit(PALETTE[NIBBLES[:, :, 0]])
ADOBE, P3 = icc("RGB ", 563 / 256, ADOBE_XYZ, "Adobe RGB"), icc("RGB ", 2.2, P3_XYZ, "P3")
FROM_ADOBE = from_colorants(unit(C8) ** (563 / 256), ADOBE_XYZ)
WIDE_CHRM = chrm(0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
D50_CHRM = chrm(0.34567, 0.35850, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
TURNED = np.rot90(unit(C16), -1)
SRGB_LINEAR = icc("RGB ", 1.0, name="GIMP built-in Linear sRGB")

ROWS: dict[str, Row] = {
    "png rgb 8": Row(lambda: png(C8), unit(C8)),
    "png grey 8": Row(lambda: png(G8), unit(G8)),
    "png rgb 16": Row(lambda: png(C16, bits=16), unit(C16)),
    "png grey 16": Row(lambda: png(G16, bits=16), unit(G16)),
    "png grey 1": Row(lambda: png(BITS, bits=1, kind=0), BITS / 1.0),
    "png grey 4": Row(lambda: png(NIBBLES, bits=4, kind=0), NIBBLES / 15.0),
    "png palette 4": Row(lambda: png(NIBBLES, PLTE, bits=4, kind=3), LOOKED_UP),
    "png rgb alpha 8, opaque": Row(lambda: png(with_alpha(C8, 255)), unit(C8)),
    "png grey alpha 8, opaque": Row(lambda: png(with_alpha(G8, 255)), unit(G8)),
    "png rgb alpha 16, opaque": Row(lambda: png(with_alpha(C16, 65535), bits=16), unit(C16)),
    "png grey alpha 16, opaque": Row(lambda: png(with_alpha(G16, 65535), bits=16), unit(G16)),
    "png rgb 16, turned": Row(lambda: png(C16, chunk(b"eXIf", exif_orientation(6)), bits=16), TURNED),
    "png rgb 8, gamma 1": Row(lambda: png(C8, gama(1.0)), srgb_encoded(unit(C8)), 2e-6),
    "png rgb 16, gamma 1": Row(lambda: png(C16, gama(1.0), bits=16), srgb_encoded(unit(C16)), 2e-6),
    "png grey 8, gamma 1": Row(lambda: png(G8, gama(1.0)), srgb_encoded(unit(G8)), 2e-6),
    "png palette, gamma 1": Row(
        lambda: png(NIBBLES, gama(1.0), PLTE, bits=4, kind=3), srgb_encoded(LOOKED_UP), 2e-6
    ),
    "png rgb 8, gamma of old Macintoshes": Row(
        lambda: png(C8, gama(0.55556)), srgb_encoded(unit(C8) ** (1 / 0.55556)), 2e-6
    ),
    "png rgb 8, usual gamma": Row(lambda: png(C8, gama(0.45455)), unit(C8)),
    "png rgb 8, srgb chunk before gamma": Row(lambda: png(C8, chunk(b"sRGB", b"\0"), gama(1.0)), unit(C8)),
    "png rgb 8, wide primaries": Row(
        lambda: png(C8, gama(0.5), WIDE_CHRM), from_colorants(unit(C8) ** 2, ADOBE_XYZ), 0.002
    ),
    "png rgb 8, primaries alone": Row(
        lambda: png(C8, WIDE_CHRM), from_colorants(srgb_decoded(unit(C8)), ADOBE_XYZ), 0.001
    ),
    "png grey 8, other primaries": Row(lambda: png(G8, WIDE_CHRM), unit(G8)),
    "png white stays white under D50": Row(
        lambda: png(np.full((12, 16, 3), 255), gama(1.0), D50_CHRM), np.ones((12, 16, 3)), 1e-5
    ),
    "png rgb 8, gamma 1, as stored": Row(
        lambda: png(C8, gama(1.0)), unit(C8), reading={"colour": "as_stored"}
    ),
    "png rgb 8, said to be linear": Row(
        lambda: png(C8), srgb_encoded(unit(C8)), 2e-6, reading={"colour": "linear"}
    ),
    "png rgb 8, Adobe RGB": Row(lambda: png(C8, iccp(ADOBE)), FROM_ADOBE, LEVEL),
    "png rgb 8, P3": Row(lambda: png(C8, iccp(P3)), from_colorants(unit(C8) ** 2.2, P3_XYZ), 1.5 * LEVEL),
    "png rgb 16, Adobe RGB": Row(
        lambda: png(C16, iccp(ADOBE), bits=16), from_colorants(unit(C16) ** (563 / 256), ADOBE_XYZ), CMS_16
    ),
    "png rgb 8, Adobe RGB, as stored": Row(
        lambda: png(C8, iccp(ADOBE)), unit(C8), reading={"colour": "as_stored"}
    ),
    "png rgb 8, a profile named linear sRGB": Row(
        lambda: png(C8, iccp(SRGB_LINEAR)), srgb_encoded(unit(C8)), LEVEL
    ),
    "png grey 8, grey profile": Row(lambda: png(G8, iccp(icc("GRAY", 1.0))), srgb_encoded(unit(G8)), LEVEL),
    "png grey 16, grey profile": Row(
        lambda: png(G16, iccp(icc("GRAY", 1.0)), bits=16), srgb_encoded(unit(G16)), CMS_16
    ),
    "png cICP, P3": Row(
        lambda: png(C8, chunk(b"cICP", bytes([12, 13, 0, 1]))),
        from_colorants(srgb_decoded(unit(C8)), P3_XYZ),
        0.003,
    ),
    "png animated, second frame": Row(lambda: animation("PNG"), unit(OTHER), reading={"frame": 2}),
    "jpeg rgb": Row(lambda: saved(Image.fromarray(SMOOTH), "JPEG", quality=98), unit(SMOOTH), LOSSY),
    "jpeg grey": Row(
        lambda: saved(Image.fromarray(SMOOTH[:, :, 0]), "JPEG", quality=98), unit(SMOOTH[:, :, :1]), LOSSY
    ),
    "jpeg turned": Row(
        lambda: saved(Image.fromarray(SMOOTH), "JPEG", quality=98, exif=b"Exif\0\0" + exif_orientation(8)),
        np.rot90(unit(SMOOTH)),
        LOSSY,
    ),
    "jpeg of a camera set to Adobe RGB": Row(
        lambda: saved(
            Image.fromarray(SMOOTH), "JPEG", quality=98, subsampling=0, exif=b"Exif\0\0" + exif_adobe_rgb()
        ),
        from_colorants(unit(SMOOTH) ** (563 / 256), ADOBE_XYZ),
        2 * LOSSY,
    ),
    "jpeg cmyk with a profile": Row(
        lambda: saved(
            Image.frombytes("CMYK", (128, 96), np.repeat(np.repeat(CMYK, 8, 0), 8, 1).tobytes()),
            "JPEG",
            quality=100,
            subsampling=0,
            icc_profile=icc_cmyk(CORNERS),
        ),
        from_lab(np.repeat(np.repeat(CORNERS.reshape(1, 16, 3), 96, 0), 8, 1)),
        LOSSY,
    ),
    "tiff cmyk with a profile": Row(
        lambda: saved(
            Image.frombytes("CMYK", (16, 12), CMYK.tobytes()), "TIFF", icc_profile=icc_cmyk(CORNERS)
        ),
        from_lab(np.repeat(CORNERS.reshape(1, 16, 3), 12, 0)),
        2 * LEVEL,
    ),
    "tiff rgb 8": Row(lambda: tiff(C8), unit(C8)),
    "tiff grey 8": Row(lambda: tiff(G8), unit(G8)),
    "tiff grey 8, white is 0": Row(lambda: tiff(255 - G8, photometric=0), unit(G8)),
    "tiff grey 16, white is 0": Row(lambda: tiff(65535 - G16, photometric=0), unit(G16)),
    "tiff grey 12, packed": Row(lambda: tif(G16[:, :, 0] >> 4, bitspersample=12), (G16 >> 4) / 4095, 1e-5),
    "tiff grey 8, signed": Row(
        lambda: tiff((G8.astype(int) - 128).astype(np.int8)), unit(G8), 1e-7, reading={"range": [-128, 127]}
    ),
    "tiff rgb 16": Row(lambda: tiff(C16), unit(C16)),
    "tiff rgb 16, big-endian": Row(lambda: tiff(C16, order=">"), unit(C16)),
    "tiff grey 16, big-endian": Row(lambda: tiff(G16, order=">"), unit(G16)),
    "tiff rgb 16, turned": Row(lambda: tiff(C16, t274=6), TURNED),
    "tiff rgb 16, mirrored": Row(lambda: tiff(C16, t274=2), unit(C16)[:, ::-1]),
    "tiff rgb alpha 16, opaque": Row(lambda: tiff(with_alpha(C16, 65535), t338=2), unit(C16)),
    "tiff rgb 16, lzw": Row(lambda: tif(C16, compression="lzw", predictor=True), unit(C16)),
    "tiff rgb 16, tiles": Row(lambda: tif(C16, tile=(16, 16), compression="zlib"), unit(C16)),
    "tiff rgb 16, Adobe RGB": Row(
        lambda: tif(C16, iccprofile=ADOBE), from_colorants(unit(C16) ** (563 / 256), ADOBE_XYZ), CMS_16
    ),
    "tiff rgb 8, Adobe RGB": Row(lambda: tif(C8, iccprofile=ADOBE), FROM_ADOBE, LEVEL),
    "tiff rgb float": Row(lambda: tiff(FLOATS), FLOATS, reading={"range": [0, 1]}),
    "tiff grey float, other range": Row(
        lambda: tiff(FLOATS[:, :, :1] * 4 - 2), FLOATS[:, :, :1], 3e-7, reading={"range": [-2, 2]}
    ),
    "tiff grey 32": Row(
        lambda: tiff(G16.astype(np.uint32) * 3), unit(G16), 1e-7, reading={"range": [0, 3 * 65535]}
    ),
    "tiff grey 12 in 16": Row(lambda: tiff(G16 >> 4), (G16 >> 4) / 4095, 1e-7, reading={"range": [0, 4095]}),
    "tiff rgb, second page": Row(lambda: tif(C8, OTHER), unit(OTHER), reading={"frame": 2}),
    "tiff rgb 16, third page": Row(lambda: tif(C16, C16, C16[::-1]), unit(C16[::-1]), reading={"frame": 3}),
    "bmp rgb": Row(lambda: bmp(C8), unit(C8)),
    "webp lossless": Row(lambda: saved(Image.fromarray(C8), "WEBP", lossless=True), unit(C8)),
    "webp lossless, Adobe RGB": Row(
        lambda: saved(Image.fromarray(C8), "WEBP", lossless=True, icc_profile=ADOBE), FROM_ADOBE, LEVEL
    ),
    "webp animated, second frame": Row(
        lambda: animation("WEBP", lossless=True), unit(OTHER), reading={"frame": 2}
    ),
    "gif, first frame": Row(lambda: animation("GIF"), gif_frame(0), reading={"frame": 1}),
    "gif, second frame": Row(lambda: animation("GIF"), gif_frame(1), reading={"frame": 2}),
    "ppm 8": Row(lambda: b"P6\n16 12\n255\n" + C8.tobytes(), unit(C8)),
    "ppm 16": Row(lambda: b"P6\n# made\n16 12\n65535\n" + C16.astype(">u2").tobytes(), unit(C16)),
    "pgm 8": Row(lambda: b"P5 16 12 255\n" + G8.tobytes(), unit(G8)),
    "pgm 12": Row(lambda: b"P5 16 12 4095\n" + (G16 >> 4).astype(">u2").tobytes(), (G16 >> 4) / 4095, 1e-5),
    "pgm in letters": Row(
        lambda: b"P2\n16 12\n65535\n" + " ".join(map(str, G16.ravel())).encode() + b"\n", unit(G16)
    ),
    "pbm": Row(lambda: b"P4 16 12\n" + np.packbits(1 - BITS[:, :, 0], axis=1).tobytes(), BITS / 1.0),
    "pfm": Row(lambda: b"PF\n16 12\n-1.0\n" + FLOATS[::-1].tobytes(), FLOATS, reading={"range": [0, 1]}),
    "jpeg 2000 rgb 8": Row(lambda: jp2(C8), unit(C8)),
    "jpeg 2000 grey 8": Row(lambda: jp2(G8[:, :, 0]), unit(G8)),
    "jpeg 2000 rgb 16": Row(lambda: jp2(C16), unit(C16)),
    "jpeg 2000 grey 12": Row(lambda: jp2(G16[:, :, 0] >> 4, bitspersample=12), (G16 >> 4) / 4095, 1e-5),
    "avif 8": Row(lambda: saved(Image.fromarray(SMOOTH), "AVIF", quality=95), unit(SMOOTH), LOSSY),
    "avif 8, P3": Row(
        lambda: saved(Image.fromarray(SMOOTH), "AVIF", quality=98, subsampling="4:4:4", icc_profile=P3),
        from_colorants(unit(SMOOTH) ** 2.2, P3_XYZ),
        2 * LOSSY,
    ),
    "avif 10": Row(
        lambda: bytes(imagecodecs.avif_encode(SMOOTH.astype(np.uint16) * 4, level=100, bitspersample=10)),
        SMOOTH.astype(int) * 4 / 1023,
        1e-5,
    ),
    "heic 8": Row(lambda: heic(SMOOTH), unit(SMOOTH), LOSSY),
    "heic 10": Row(deep_heic, unit(SMOOTH), LOSSY),
    "heic of two, second": Row(
        lambda: heic(SMOOTH, SMOOTH[::-1].copy()),
        unit(SMOOTH[::-1]),
        LOSSY,
        {"frame": 2},
    ),
    "avif turned": Row(
        lambda: saved(Image.fromarray(SMOOTH), "AVIF", quality=95, exif=exif_orientation(6)),
        np.rot90(unit(SMOOTH), -1),
        LOSSY,
    ),
    "heic 8, P3": Row(
        lambda: heic(SMOOTH, icc_profile=P3), from_colorants(unit(SMOOTH) ** 2.2, P3_XYZ), 2 * LOSSY
    ),
    "npy rgb 8": Row(lambda: npy(C8), unit(C8)),
    "npy grey 16, big-endian": Row(lambda: npy(G16[:, :, 0].astype(">u2")), unit(G16)),
    "npy of truth values": Row(lambda: npy(BITS[:, :, 0] == 1), BITS / 1.0),
    "npy floats": Row(lambda: npy(FLOATS), FLOATS, reading={"range": [0, 1]}),
    "npy of several, second": Row(lambda: npy(np.stack([C8, OTHER])), unit(OTHER), reading={"frame": 2}),
    "npy alpha 8, opaque": Row(lambda: npy(with_alpha(C8, 255)), unit(C8)),
    "npz": Row(lambda: npz(a=C8, b=C16), unit(C16), reading={"dataset": "b"}),
    "mat 5, one variable": Row(lambda: mat({"img": C16, "n": 1.0, "text": "x"}), unit(C16)),
    "mat 5, compressed, named": Row(
        lambda: mat({"a": C16, "b": C8}, do_compression=True), unit(C8), reading={"dataset": "b"}
    ),
    "mat 5, double": Row(lambda: mat({"img": C8.astype(float)}), unit(C8), 1e-7, reading={"range": [0, 255]}),
    "mat 5, logical": Row(lambda: mat({"m": BITS[:, :, 0] == 1}), BITS / 1.0),
    "mat 5, frames last": Row(
        lambda: mat({"m": np.stack([C8, OTHER], -1)}), unit(OTHER), reading={"frame": 2}
    ),
    "mat 7.3": Row(lambda: hdf({"img": C16.T}, "uint16"), unit(C16)),
    "mat 7.3, logical": Row(lambda: hdf({"m": BITS[:, :, 0].T.astype(np.uint8)}, "logical"), BITS / 1.0),
    "mat 7.3, frames last": Row(
        lambda: hdf({"m": np.stack([C8.T, OTHER.T])}, "uint8"), unit(OTHER), reading={"frame": 2}
    ),
    "hdf5, only dataset": Row(lambda: hdf({"deep/img": C16}), unit(C16)),
    "hdf5, named": Row(lambda: hdf({"a": C16, "g/b": C8}), unit(C8), reading={"dataset": "g/b"}),
    "hdf5, frames first": Row(
        lambda: hdf({"stack": np.stack([G16[:, :, 0]] * 5 + [G16[::-1, :, 0]])}),
        unit(G16[::-1]),
        reading={"frame": 6},
    ),
}


@cache
def file_of(name: str) -> bytes:
    return ROWS[name].data()


def read(data: bytes, encoding: Any = "srgb", **reading: Any) -> ImageFile:
    return ImageFile(Path("photo"), data, SourceReading.model_validate(reading), encoding)


@pytest.mark.parametrize("name", ROWS)
def test_a_file_has_the_pixels_that_were_computed(name: str) -> None:
    row = ROWS[name]
    image = read(file_of(name), **row.reading)
    found = image.decode()
    assert (*image.size[::-1], 1 if image.is_grey else 3) == found.shape == row.wanted.shape
    assert np.abs(unit(found) - row.wanted).max() <= row.tolerance


def test_every_reader_and_every_ending_has_a_row() -> None:
    starts = {name.split()[0].strip(",") for name in ROWS}
    assert len(ROWS) >= 60
    assert starts >= {
        "png",
        "jpeg",
        "tiff",
        "bmp",
        "webp",
        "gif",
        "ppm",
        "avif",
        "heic",
        "npy",
        "mat",
        "hdf5",
    }
    readers = {type(find(file_of(name))).__name__ for name in ROWS}
    assert readers == {cls.__name__ for cls in READERS.members.values()}


def find(data: bytes) -> Any:
    from stimgen.images.readers import find_reader

    return find_reader(read(data))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("png animated, second frame", 2),
        ("tiff rgb 16, third page", 3),
        ("tiff rgb, second page", 2),
        ("webp animated, second frame", 2),
        ("gif, first frame", 2),
        ("npy of several, second", 2),
        ("mat 5, frames last", 2),
        ("hdf5, frames first", 6),
    ],
)
def test_several_frames_are_refused_with_their_number(name: str, count: int) -> None:
    with pytest.raises(StimgenError, match=f"has {count} frames or pages") as caught:
        _ = read(file_of(name)).size
    assert f"`frame: 1` to `frame: {count}`" in str(caught.value)
    with pytest.raises(StimgenError, match=f"has {count} frames or pages, so there is no frame {count + 1}"):
        _ = read(file_of(name), frame=count + 1).size


@pytest.mark.parametrize("name", ["tiff rgb float", "tiff grey 32", "pfm", "npy floats", "mat 5, double"])
def test_numbers_without_a_range_are_refused_with_their_extremes(name: str) -> None:
    with pytest.raises(StimgenError, match="which are black and white") as caught:
        _ = read(file_of(name)).size
    said = str(caught.value).split("`range: [")[1].split("]")[0]
    lowest, highest = map(float, said.split(","))
    found = read(file_of(name), range=[lowest, highest]).decode()
    assert (found.min(), found.max()) == (0.0, 1.0)
    with pytest.raises(StimgenError, match="beyond the range"):
        read(file_of(name), range=[lowest, (lowest + highest) / 2]).decode()


@pytest.mark.parametrize("name", ["npz", "mat 5, compressed, named", "hdf5, named"])
def test_an_array_among_several_is_named(name: str) -> None:
    with pytest.raises(StimgenError, match=r"has 2 arrays: a \(12 x 16 x 3\), ") as caught:
        _ = read(file_of(name)).size
    assert "`dataset: NAME`" in str(caught.value)
    with pytest.raises(StimgenError, match="has no array 'aa'") as caught:
        _ = read(file_of(name), dataset="aa").size
    assert "did you mean" in str(caught.value)


class TestRefused:
    """What cannot be read rightly is refused, with what to do."""

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (lambda: png(with_alpha(C16, 60_000), bits=16), "transparent parts"),
            (lambda: png(C16, chunk(b"tRNS", C16[0, 0].astype(">u2").tobytes()), bits=16), "transparent"),
            (lambda: png(with_alpha(G16, 60_000), bits=16), "transparent parts"),
            (lambda: tiff(with_alpha(C16, 9), t338=2), "transparent parts"),
            (lambda: tiff(with_alpha(C16, 9), t338=0), "extra channel"),
            (lambda: tiff(np.dstack([C16, C16])), "has 6 channels"),
            (lambda: tiff(C16, photometric=8), "cannot be converted"),
            (lambda: tiff(C16, t322=65520, t323=65520, t324=8), "more than 80,000,000"),
            (lambda: tiff(C16, t32997=2), "is a volume"),
            (lambda: png(C8, chunk(b"cICP", bytes([9, 16, 0, 1]))), "transfer 16"),
            (lambda: png(C8, gama(0.0)), "impossible gamma"),
            (lambda: png(C8, gama(1.0), chrm(*[0.0] * 8)), "impossible primaries"),
            (lambda: png(C8, iccp(b"none")), "colour profile cannot be used"),
            (lambda: saved(Image.new("CMYK", (16, 12)), "TIFF"), "without a profile"),
            (lambda: tiff(C8, t50706=1), "camera's raw file"),
            (lambda: b"8BPS" + bytes(99), "Photoshop"),
            (lambda: b"%PDF-1.7" + bytes(99), "PDF"),
            (lambda: npy(np.zeros((2, 8, 8, 5, 3))), "2 x 8 x 8 x 5 x 3"),
            (lambda: npy(np.zeros((8, 8), complex)), "complex128"),
            (lambda: npy(np.full((8, 8), np.nan)), "NaN"),
            (lambda: mat({"z": np.zeros((8, 8), complex)}), "complex numbers"),
            (lambda: mat({"text": "x", "cells": np.array([1, "a"], object)}), "no arrays of numbers"),
            (lambda: npy(np.zeros((2, 2))).replace(b"(2, 2)", b"(9999999, 9999999)"), "more than 80,000,000"),
            (lambda: b"P6 99999999 999999 65535\n", "more than 80,000,000"),
        ],
    )
    def test_with_a_reason(self, data: Callable[[], bytes], said: str) -> None:
        with pytest.raises(StimgenError, match=said) as caught:
            read(data()).decode()
        assert str(caught.value).startswith("photo: ")

    def test_a_pickle_in_an_array_is_never_opened(self) -> None:
        buffer = io.BytesIO()
        np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
        with pytest.raises(StimgenError, match="holds object, not numbers"):
            read(buffer.getvalue()).decode()

    def test_a_compressed_bomb_is_refused_by_its_header(self) -> None:
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as opened:
            opened.create_dataset("x", (40_000, 40_000), "u1", compression="gzip", chunks=(1000, 1000))
        with pytest.raises(StimgenError, match="more than 80,000,000 pixels"):
            _ = read(buffer.getvalue()).size

    def test_a_dataset_that_lies_in_another_file_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "secret.raw").write_bytes(bytes(range(64)))
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as opened:
            opened.create_dataset("x", (8, 8), "u1", external=[(str(tmp_path / "secret.raw"), 0, 64)])
            opened["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "y")
        with pytest.raises(StimgenError, match="lie in other files"):
            read(buffer.getvalue()).decode()


# One file of each kind that is decoded on its own way.
SAMPLES = [
    "png rgb 8", "png rgb 16", "jpeg rgb", "tiff rgb 8", "tiff rgb 16, lzw", "bmp rgb", "webp lossless",
    "gif, second frame", "ppm 8", "ppm 16", "pfm", "jpeg 2000 rgb 8", "jpeg 2000 rgb 16", "avif 8", "avif 10",
    "heic 8", "npy rgb 8", "npz", "mat 5, compressed, named", "mat 7.3", "hdf5, named",
]  # fmt: skip


class TestDamage:
    """Whatever is wrong with a file: one line with its name, or a picture; never a traceback."""

    @pytest.mark.parametrize("name", SAMPLES)
    def test_a_truncated_file_is_refused_in_one_line(self, name: str) -> None:
        data = file_of(name)
        for part in (0.1, 0.5, 0.9):
            with pytest.raises(StimgenError) as caught:
                read(data[: int(part * len(data))], **ROWS[name].reading).decode()
            first, *rest = str(caught.value).split("\n")
            assert first.startswith("photo: ")
            assert all(line.startswith("  ") for line in rest)

    @pytest.mark.parametrize("name", SAMPLES)
    def test_flipped_bits_end_in_an_error_or_a_picture(
        self, name: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        rng = np.random.default_rng(5)
        for place in rng.integers(0, len(file_of(name)), 12):
            data = bytearray(file_of(name))
            data[place] ^= 1 << int(rng.integers(0, 8))
            image = read(bytes(data), **ROWS[name].reading)
            try:
                assert image.decode().shape[1::-1] == image.size
            except StimgenError as error:
                assert str(error).startswith("photo: ")  # noqa: PT017 - only some damage raises
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("kind", [8, 14, 15, 99, 255])
    def test_a_variable_of_an_impossible_type_does_not_end_the_process(self, kind: int) -> None:
        data = bytearray(mat({"img": C8}))
        place = data.index(C8.tobytes(order="F")) - 8
        data[place] = kind
        with pytest.raises(StimgenError, match="has a damaged variable"):
            read(bytes(data)).decode()

    @pytest.mark.parametrize("name", SAMPLES)
    def test_the_ending_of_the_name_does_not_matter(self, name: str) -> None:
        image = ImageFile(Path("x.jpg"), file_of(name), SourceReading.model_validate(ROWS[name].reading))
        assert image.decode().shape == ROWS[name].wanted.shape


class TestIdentity:
    """An id follows the pixels, and files that were always read so keep theirs."""

    @pytest.mark.parametrize(
        "name",
        [
            "png rgb 8",
            "png grey 16",
            "png rgb 8, usual gamma",
            "png rgb 8, Adobe RGB",
            "jpeg rgb",
            "tiff rgb 8",
        ],
    )
    def test_of_a_file_that_is_read_as_ever_nothing_is_added(self, name: str) -> None:
        recipe = Preparation(size=8).recipe(read(file_of(name)))
        assert set(recipe) == {"sha256", "box", "size", "channels", "resampling"}

    def test_what_changes_the_pixels_is_in_the_recipe(self) -> None:
        def added(name: str, encoding: Any = "srgb", **reading: Any) -> Any:
            return Preparation(size=8).recipe(read(file_of(name), encoding, **reading)).get("read")

        assert added("png rgb 16") == {"bits": 16}
        assert added("png rgb 8, gamma 1") == {"colour": "declared"}
        assert added("png rgb 8, gamma 1", "linear") is None
        assert added("png rgb 8, gamma 1", colour="as_stored") is None
        assert added("png rgb 8, Adobe RGB", colour="as_stored") == {"colour": "as_stored"}
        assert added("png rgb 8", colour="linear") == {"colour": "linear"}
        assert added("gif, first frame", frame=1) is None
        assert added("gif, first frame", frame=2) == {"frame": 2}
        assert added("mat 7.3") == added("mat 7.3", dataset="img") == {"dataset": "img"}

    def test_records_say_what_was_done(self) -> None:
        assert read(file_of("png rgb 8")).describe_reading() == {}
        assert (
            "from 'Adobe RGB' to sRGB" in read(file_of("png rgb 8, Adobe RGB")).describe_reading()["colour"]
        )
        assert "gAMA" in read(file_of("png rgb 8, gamma 1")).describe_reading()["colour"]
        assert read(file_of("gif, first frame"), frame=1).describe_reading() == {"frame": 1, "frames": 2}


PIXELS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(8, 20), st.integers(8, 20), st.sampled_from([1, 3])),
    elements=st.floats(0, 1, width=32),
)


@given(PIXELS, st.sampled_from([8, 16]), st.sampled_from(["srgb", "linear"]))
def test_what_stimgen_writes_is_read_as_the_numbers_it_was_written_from(
    pixels: Array, bits: Any, encoding: Any
) -> None:
    levels = quantise(pixels[:, :, :1] if bits == 16 else pixels, bits)
    image = read(encode_png(levels, encoding), encoding)
    assert np.array_equal(image.decode(), levels)
    assert image.conversions == {}
    whole = Preparation(crop="none", size=image.size).prepare(image)
    assert np.array_equal(whole, as_pixels(levels))


@given(PIXELS, st.sampled_from([8, 16]))
def test_a_linear_picture_in_a_protocol_for_srgb_keeps_its_light(pixels: Array, bits: Any) -> None:
    levels = quantise(pixels[:, :, :1] if bits == 16 else pixels, bits)
    found = read(encode_png(levels, "linear")).decode()
    assert np.abs(found - srgb_encoded(unit(levels))).max() <= 2e-6


@given(PIXELS)
def test_a_written_array_is_read_as_its_numbers(pixels: Array) -> None:
    image = read(encode_array(pixels), range=[0, 1])
    assert np.array_equal(image.decode(), pixels)


@pytest.mark.parametrize(
    ("name", "module", "extra"), [("heic 8", "pillow_heif", "heif"), ("mat 7.3", "h5py", "hdf5")]
)
def test_a_missing_package_is_named_with_its_command(
    name: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(StimgenError, match=f"needs {module}") as caught:
        read(file_of(name)).decode()
    assert f'pip install "stimgen[{extra}]"' in str(caught.value)
