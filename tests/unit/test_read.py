"""Reading photographs: modes, orientation, colour profiles, and files that are none."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from picture_files import chunk, exif_orientation
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngImageFile, PngInfo

from stimgen.images import read
from stimgen.images.read import ImageFile, find_skimage_file, read_image_file
from stimgen.reading.errors import StimgenError

RNG = np.random.default_rng(7)
COLOURS: NDArray[np.uint8] = RNG.integers(0, 256, (10, 14, 3), dtype=np.uint8)
GREYS: NDArray[np.uint8] = COLOURS[:, :, 0]
DEEP: NDArray[np.uint16] = RNG.integers(0, 65536, (10, 14), dtype=np.uint16)


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> ImageFile:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return ImageFile(Path("photo"), buffer.getvalue())


def flat(file: ImageFile) -> NDArray[Any]:
    """Return a decoded picture, height x width if it is grey."""
    levels = file.decode()
    return levels[:, :, 0] if levels.shape[2] == 1 else levels


def colour() -> Image.Image:
    return Image.fromarray(COLOURS)


def grey() -> Image.Image:
    return Image.fromarray(GREYS)


class TestModes:
    """Every mode with a fixed meaning is brought to RGB, L or I;16; no other is guessed at."""

    @pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
    def test_colours_and_greys_are_read_as_they_are(self, kind: str) -> None:
        assert np.array_equal(flat(encoded(colour(), kind)), COLOURS)
        assert np.array_equal(flat(encoded(grey(), kind)), GREYS)

    def test_webp_is_read(self) -> None:
        assert np.array_equal(flat(encoded(colour(), "WEBP", lossless=True)), COLOURS)

    def test_black_and_white_is_grey(self) -> None:
        file = encoded(grey().point(lambda level: 255 * (level > 127)).convert("1"))
        assert file.is_grey
        assert np.array_equal(flat(file), np.where(GREYS > 127, 255, 0))

    def test_a_palette_is_looked_up(self) -> None:
        picture = colour().quantize(8)
        file = encoded(picture)
        assert not file.is_grey
        assert np.array_equal(flat(file), np.asarray(picture.convert("RGB")))

    @pytest.mark.parametrize(("mode", "plain"), [("RGBA", COLOURS), ("LA", GREYS)])
    def test_an_opaque_alpha_channel_is_dropped(self, mode: str, plain: NDArray[np.uint8]) -> None:
        opaque = np.dstack([plain, np.full(GREYS.shape, 255, dtype=np.uint8)])
        image = Image.fromarray(opaque)
        assert image.mode == mode
        file = encoded(image)
        assert file.is_grey == (mode == "LA")
        assert np.array_equal(flat(file), plain)

    @pytest.mark.parametrize(("mode", "plain"), [("RGBA", COLOURS), ("LA", GREYS)])
    def test_one_transparent_pixel_is_refused(self, mode: str, plain: NDArray[np.uint8]) -> None:
        alpha = np.full(GREYS.shape, 255, dtype=np.uint8)
        alpha[3, 4] = 254
        image = Image.fromarray(np.dstack([plain, alpha]))
        assert image.mode == mode
        file = encoded(image)
        with pytest.raises(StimgenError, match="transparent parts"):
            file.decode()

    def test_a_transparent_colour_is_refused_where_it_occurs(self) -> None:
        key = tuple(int(level) for level in COLOURS[2, 5])
        with pytest.raises(StimgenError, match="transparent parts"):
            encoded(colour(), transparency=key).decode()
        with pytest.raises(StimgenError, match="transparent parts"):
            encoded(grey(), transparency=int(GREYS[2, 5])).decode()
        with pytest.raises(StimgenError, match="transparent parts"):
            encoded(Image.fromarray(DEEP), transparency=int(DEEP[2, 5])).decode()
        with pytest.raises(StimgenError, match="transparent parts"):
            encoded(colour().quantize(4), transparency=0).decode()

    def test_a_transparent_colour_that_does_not_occur_does_no_harm(self) -> None:
        absent = next(level for level in range(256) if level not in GREYS)
        assert np.array_equal(flat(encoded(grey(), transparency=absent)), GREYS)
        absent = next(level for level in range(65536) if level not in DEEP)
        assert np.array_equal(flat(encoded(Image.fromarray(DEEP), transparency=absent)), DEEP)

    def test_sixteen_bits_are_kept(self) -> None:
        file = encoded(Image.fromarray(DEEP))
        assert file.is_grey
        assert file.decode().dtype == np.uint16
        assert np.array_equal(flat(file), DEEP)

    def test_sixteen_bits_of_either_byte_order(self) -> None:
        picture = Image.frombytes("I;16B", (14, 10), DEEP.astype(">u2").tobytes())
        file = encoded(picture, "TIFF")
        assert file.data[:2] == b"MM"
        assert file.is_grey
        assert np.array_equal(flat(file), DEEP)

    @pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("LAB", "TIFF")])
    def test_modes_without_fixed_colours_are_refused(self, mode: str, kind: str) -> None:
        with pytest.raises(StimgenError, match=f"mode '{mode}' has no fixed meaning"):
            encoded(Image.new(mode, (14, 10)), kind).decode()


def upright(orientation: int, stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what a viewer shows, from the table of the EXIF standard."""
    turn = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a.swapaxes(0, 1)[:, ::-1],
        7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
        8: lambda a: a.swapaxes(0, 1)[::-1],
    }
    return turn[orientation](stored)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright_and_the_size_says_so(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = encoded(colour(), kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    wanted = upright(orientation, COLOURS)
    assert file.size == file.decode().shape[1::-1] == (wanted.shape[1], wanted.shape[0])
    if kind == "JPEG":
        wanted = upright(orientation, np.asarray(Image.open(io.BytesIO(encoded(colour(), kind).data))))
    assert np.array_equal(flat(file), wanted)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_broken_metadata_of_a_sound_picture_do_no_harm(kind: str, recwarn: pytest.WarningsRecorder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = encoded(colour(), kind, exif=exif.tobytes()[:-9])
    assert file.size == file.decode().shape[1::-1] == (14, 10)
    assert recwarn.list == []  # of which Pillow warns, and no user can do anything about it


class TestColourProfiles:
    """A picture in other colours than sRGB's is converted, whatever its mode."""

    def test_srgb_passes_unchanged(self) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        assert np.array_equal(flat(encoded(colour(), icc_profile=profile)), COLOURS)

    def test_linear_colours_are_encoded(self) -> None:
        decoded = flat(encoded(colour(), icc_profile=profile_of("RGB ", gamma=1.0)))
        assert decoded.shape == COLOURS.shape
        assert largest_error(decoded, srgb_encoded(COLOURS / 255.0)) <= 1

    def test_swapped_primaries_are_swapped_back(self) -> None:
        decoded = flat(encoded(colour(), icc_profile=profile_of("RGB ", gamma=1.0, primaries="bgr")))
        assert largest_error(decoded, srgb_encoded(COLOURS[:, :, ::-1] / 255.0)) <= 1

    def test_the_profile_of_an_opaque_picture_with_alpha_is_used(self) -> None:
        opaque = colour().convert("RGBA")
        decoded = flat(encoded(opaque, icc_profile=profile_of("RGB ", gamma=1.0)))
        assert largest_error(decoded, srgb_encoded(COLOURS / 255.0)) <= 1

    def test_the_profile_of_a_picture_with_a_palette_is_used(self) -> None:
        palette = colour().quantize(8)
        decoded = flat(encoded(palette, icc_profile=profile_of("RGB ", gamma=1.0)))
        wanted = srgb_encoded(np.asarray(palette.convert("RGB")) / 255.0)
        assert largest_error(decoded, wanted) <= 1

    def test_a_linear_grey_is_encoded_and_stays_grey(self) -> None:
        decoded = flat(encoded(grey(), icc_profile=profile_of("GRAY", gamma=1.0)))
        assert decoded.shape == GREYS.shape
        assert largest_error(decoded, srgb_encoded(GREYS / 255.0)) <= 1

    def test_a_grey_picture_with_a_profile_for_colours_is_left_alone(self) -> None:
        decoded = flat(encoded(grey(), "JPEG", quality=100, icc_profile=profile_of("RGB ", gamma=1.0)))
        assert largest_error(decoded, GREYS.astype(float)) <= 3

    def test_a_damaged_profile_is_refused(self) -> None:
        with pytest.raises(StimgenError, match="colour profile cannot be used"):
            encoded(colour(), icc_profile=b"not a profile").decode()

    def test_a_profile_of_the_wrong_kind_is_refused(self) -> None:
        with pytest.raises(StimgenError, match="colour profile cannot be used"):
            encoded(colour(), icc_profile=profile_of("GRAY", gamma=1.0)).decode()


def largest_error(picture: NDArray[Any], wanted: NDArray[np.float64]) -> float:
    return float(np.abs(picture.astype(float) - wanted).max())


def srgb_encoded(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return linear light as sRGB levels (IEC 61966-2-1)."""
    return 255.0 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


# The primaries of sRGB, adapted to D50, as its ICC profile has them.
PRIMARIES = {"r": (0.4361, 0.2225, 0.0139), "g": (0.3851, 0.7169, 0.0971), "b": (0.1431, 0.0606, 0.7141)}
D50 = (0.9642, 1.0, 0.8249)


def profile_of(space: str, gamma: float, primaries: str = "rgb") -> bytes:
    """Return a minimal ICC profile (version 2): the tone curve is a power."""

    def fixed(values: tuple[float, ...]) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    description = b"a profile for tests\0"
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(description)) + description + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": b"XYZ " + bytes(4) + fixed(D50),
    }
    if space == "GRAY":
        tags[b"kTRC"] = curve
    else:
        for name, primary in zip("rgb", primaries, strict=True):
            tags[f"{name}XYZ".encode()] = b"XYZ " + bytes(4) + fixed(PRIMARIES[primary])
            tags[f"{name}TRC".encode()] = curve
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(body), b"none", 0x02400000, b"mntr",
                         space.encode(), b"XYZ ")  # fmt: skip
    header += bytes(12) + b"acsp" + bytes(28) + fixed(D50)
    return header.ljust(128, b"\0") + table + body


class TestFilesThatAreNoPictures:
    """Each ends in an error that names the file; nothing is guessed."""

    @pytest.mark.parametrize("data", [b"some text\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"\0"])
    def test_what_is_no_image(self, data: bytes) -> None:
        for ask in (lambda file: file.size, lambda file: file.is_grey, lambda file: file.decode()):
            with pytest.raises(StimgenError, match="not an image|damaged") as caught:
                ask(ImageFile(Path("photo.png"), data))
            assert str(caught.value).startswith("photo.png: ")

    @pytest.mark.parametrize("kind", ["ICO", "TGA"])
    def test_other_formats_are_refused_and_the_accepted_ones_named(self, kind: str) -> None:
        with pytest.raises(StimgenError, match="not an image that can be read") as caught:
            _ = encoded(colour(), kind).size
        assert "PNG" in str(caught.value)

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
    def test_a_truncated_file(self, kind: str) -> None:
        data = encoded(Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)), kind).data
        with pytest.raises(StimgenError, match="damaged"):
            ImageFile(Path("photo"), data[: len(data) // 2]).decode()

    def test_a_truncated_file_without_metadata_is_found_by_its_size_already(self) -> None:
        """Pillow looks for the orientation behind the pixels, so that it meets the damage."""
        data = encoded(colour().quantize(8)).data
        with pytest.raises(StimgenError, match="damaged"):
            _ = ImageFile(Path("photo"), data[:-30]).size

    def test_a_decompression_bomb(self) -> None:
        for side in (read.MAXIMUM_PIXELS // 1000 + 1, 60_000_000):
            data = bytearray(encoded(grey().resize((1000, 8))).data)
            data[20:24] = struct.pack(">I", side)
            data[29:33] = struct.pack(">I", checksum(bytes(data[12:29])))
            with pytest.raises(StimgenError, match="more than 80,000,000 pixels"):
                _ = ImageFile(Path("bomb"), bytes(data)).size

    def test_a_long_text_hidden_in_a_picture(self) -> None:
        info = PngInfo()
        info.add_text("comment", "a" * 70_000_000, zip=True)
        with pytest.raises(StimgenError):
            encoded(grey(), pnginfo=info).decode()

    def test_missing_empty_and_directory(self, tmp_path: Path) -> None:
        with pytest.raises(StimgenError, match="no such image file"):
            read_image_file(tmp_path / "absent.png")
        (tmp_path / "empty.png").write_bytes(b"")
        with pytest.raises(StimgenError, match=r"empty\.png: the image file is empty"):
            read_image_file(tmp_path / "empty.png")
        with pytest.raises(StimgenError, match="cannot be read: Is a directory"):
            read_image_file(tmp_path)

    def test_a_huge_file_is_not_read_to_its_end(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(read, "MAXIMUM_FILE_BYTES", 2**20)
        with (tmp_path / "huge.png").open("wb") as stream:
            stream.truncate(2**40)
        with pytest.raises(StimgenError, match=r"huge\.png: larger than 1 MB"):
            read_image_file(tmp_path / "huge.png")


def checksum(data: bytes) -> int:
    import zlib

    return zlib.crc32(data)


class TestPhotographsOfScikitImage:
    """Real photographs come with a package that is installed anyway."""

    @pytest.mark.parametrize(
        ("name", "size", "grey"),
        [("coffee", (600, 400), False), ("chelsea", (451, 300), False), ("brick", (512, 512), True)],
    )
    def test_they_are_found(self, name: str, size: tuple[int, int], grey: bool) -> None:
        file = read_image_file(find_skimage_file(name))
        assert (file.size, file.is_grey) == (size, grey)
        assert file.decode().shape[1::-1] == size

    def test_an_unknown_name_gets_the_nearest_match(self) -> None:
        with pytest.raises(StimgenError, match="no picture 'coffe'") as caught:
            find_skimage_file("coffe")
        assert "did you mean 'coffee'?" in str(caught.value)
        assert "brick" in str(caught.value)

    @pytest.mark.parametrize("name", ["../data/coffee", "coffee.png", "", "README"])
    def test_a_name_is_no_path(self, name: str) -> None:
        with pytest.raises(StimgenError):
            find_skimage_file(name)


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc.png").write_bytes(b"abc")
    file = read_image_file(tmp_path / "abc.png")
    assert (
        file.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )  # FIPS 180-2, B.1


class TestHeadersOfPng:
    """Only a picture that may be turned, or is damaged, is decoded for its size."""

    @pytest.fixture
    def loaded(self, monkeypatch: pytest.MonkeyPatch) -> list[Image.Image]:
        found, load = list[Image.Image](), PngImageFile.load

        def note(image: PngImageFile) -> Any:
            found.append(image)
            return load(image)

        monkeypatch.setattr(PngImageFile, "load", note)
        return found

    @pytest.mark.parametrize("picture", [colour(), grey(), Image.fromarray(DEEP)])
    def test_others_are_not_decoded(self, picture: Image.Image, loaded: list[Image.Image]) -> None:
        assert encoded(picture).size == (14, 10)
        assert loaded == []

    def test_a_turn_that_is_told_after_the_pixels_is_seen(self, loaded: list[Image.Image]) -> None:
        plain = encoded(colour()).data
        turned = plain[:-12] + chunk(b"eXIf", exif_orientation(6)) + plain[-12:]
        assert ImageFile(Path("photo"), turned).size == (10, 14)
        assert len(loaded) > 0

    def test_a_flipped_bit_of_the_pixels_is_seen(self) -> None:
        data = bytearray(encoded(colour()).data)
        data[data.index(b"IDAT") + 20] ^= 1
        with pytest.raises(StimgenError, match="damaged"):
            _ = ImageFile(Path("photo"), bytes(data)).size
