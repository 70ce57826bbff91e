"""Sources: files that are found, kept inside their folder, named, and refused when they are no pictures."""

from __future__ import annotations

import io
import os
import struct
import sys
import unicodedata
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from stimgen.execution.labels import source_record
from stimgen.images.read import MAXIMUM_PIXELS, find_skimage_file
from stimgen.images.write import as_pixels, encode_png
from stimgen.protocol.files import find_files, list_skipped
from stimgen.protocol.load import load_protocol
from stimgen.protocol.planned_source import PlannedSource
from stimgen.protocol.schema import OutputSettings
from stimgen.protocol.sources import plan_sources
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes, sha256_file
from stimgen.workflow.generate import generate_set

TOO_MANY = f"more than {MAXIMUM_PIXELS:,} pixels"
NOISE = np.random.default_rng(1).integers(0, 256, (40, 48, 3), dtype=np.uint8)


def picture(file: Path, mode: str = "RGB") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(NOISE).convert(mode).save(file)
    return file


def encoded(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, form)
    return buffer.getvalue()


def protocol(folder: Path, *sources: str, preparation: str = "{size: 32}") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"  - {source}" for source in sources]
    text = [
        "name: p",
        f"preparation: {preparation}",
        "sources:",
        *lines,
        "conditions: [{id: a, layers: [pool1]}]",
    ]
    (folder / "p.yaml").write_text("\n".join(text) + "\n", encoding="utf-8")
    return folder / "p.yaml"


def found(folder: Path, *sources: str, root: Path | None = None) -> list[PlannedSource]:
    return plan_sources(load_protocol(protocol(folder, *sources)), root)[0]


def refusal(folder: Path, *sources: str, root: Path | None = None) -> str:
    """Return what is said of sources that cannot be used, when planning or when their pixels are read."""
    with pytest.raises(StimgenError) as caught:
        [source.pixels() for source in found(folder, *sources, root=root)]
    message = str(caught.value)
    assert message.startswith(f"{folder}/p.yaml:4: ")
    assert all(line.isprintable() for line in message.split("\n"))
    return message.removeprefix(f"{folder}/p.yaml:4: ")


def bomb(width: int, height: int) -> bytes:
    """Return a PNG file whose header promises more pixels than it has."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


class TestFound:
    def test_a_file(self, tmp_path: Path) -> None:
        file = picture(tmp_path / "photos" / "x.png")
        (source,) = found(tmp_path, "file: photos/x.png\n    licence: MIT\n    credit: me")
        assert (source.id, source.name, source.file) == ("x", "photos/x.png", file)
        assert (source.sha256, source.shape) == (sha256_file(file), (32, 32, 3))
        assert (source.spec.licence, source.spec.credit) == ("MIT", "me")
        assert str(source.lines["file"]) == f"{tmp_path}/p.yaml:4"
        assert source.pixels().shape == source.shape
        assert source.original_name.startswith("x_")

    def test_a_picture_of_scikit_image(self, tmp_path: Path) -> None:
        (source,) = found(tmp_path, "file: skimage:brick")
        assert (source.id, source.name, source.file) == ("brick", "skimage:brick", find_skimage_file("brick"))
        assert source.shape == (32, 32, 1)

    def test_a_mask_that_a_pattern_names(self, tmp_path: Path) -> None:
        picture(tmp_path / "x.png")
        mask = picture(tmp_path / "masks" / "x1.png")
        (source,) = found(tmp_path, 'file: x.png\n    mask: "masks/??.png"')
        assert source.mask is not None
        assert source.mask.file == mask
        picture(tmp_path / "masks" / "x2.png")
        with pytest.raises(StimgenError, match=r"p\.yaml:5: mask: the mask must be one file, not a pattern"):
            found(tmp_path, 'file: x.png\n    mask: "masks/??.png"')

    def test_a_pattern_in_the_order_of_names(self, tmp_path: Path) -> None:
        for name in ("b.png", "a.JPG", "c.png", "deep/d.tif"):
            picture(tmp_path / "photos" / name)
        (tmp_path / "photos" / "notes.txt").write_text("no picture")
        assert [source.name for source in found(tmp_path, "file: photos/*")] == [
            "photos/a.JPG",
            "photos/b.png",
            "photos/c.png",
        ]
        assert [source.id for source in found(tmp_path, 'file: "**/?.*"')] == ["a", "b", "c", "d"]

    def test_paths_are_relative_to_the_protocol_wherever_one_stands(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        picture(tmp_path / "study" / "x.png")
        protocol(tmp_path / "study", "file: x.png")
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        ((source,), _) = plan_sources(load_protocol("../study/p.yaml"))
        assert source.file == tmp_path / "study" / "x.png"
        monkeypatch.chdir(tmp_path / "study")
        assert plan_sources(load_protocol("p.yaml"))[0][0].file == source.file

    @pytest.mark.parametrize(
        ("name", "derived"),
        [
            ("Foto 1.png", "Foto-1"),
            ("Käse.png", "Kase"),
            ("0.89_cat.png", "0.89_cat"),
            ("Łódź (2).png", "Lodz-2"),
            ("it's.png", "it-s"),
            (".hidden.png", "hidden"),
            ("-x.png", "x"),
            ("a" * 65 + ".png", "a" * 64),
            ("\u732b.png", "picture-a810bf84"),
        ],
    )
    def test_an_odd_file_name_gives_an_id(self, tmp_path: Path, name: str, derived: str) -> None:
        picture(tmp_path / name)
        (source,) = found(tmp_path, f'file: "{name}"')
        assert (source.id, source.name) == (derived, name)
        assert found(tmp_path, f'{{file: "{name}", id: fine}}')[0].id == "fine"

    def test_one_odd_name_does_not_refuse_the_others(self, tmp_path: Path) -> None:
        for name in ("Foto 1.JPG", "Foto-1.png", "K\xe4se.png", "a/01.png", "b/01.png", "fine.png"):
            picture(tmp_path / "photos" / name)
        for name in ("._fine.png", ".DS_Store", "Thumbs.db", "notes.txt", "a/._01.png", ".trash/x.png"):
            picture(tmp_path / "photos" / "fine.png").rename(tmp_path / "spare.png")
            (tmp_path / "photos" / name).parent.mkdir(exist_ok=True)
            (tmp_path / "photos" / name).write_bytes(b"no picture")
        picture(tmp_path / "photos" / "fine.png")
        ids = {source.name: source.id for source in found(tmp_path, 'file: "photos/**/*"')}
        assert ids == {
            "photos/Foto 1.JPG": "photos_Foto-1",
            "photos/Foto-1.png": "Foto-1",
            "photos/K\xe4se.png": "Kase",
            "photos/fine.png": "fine",
            "photos/a/01.png": "a_01",
            "photos/b/01.png": "b_01",
        }
        assert list_skipped("photos/*", tmp_path) == ["photos/Thumbs.db", "photos/notes.txt"]

    @pytest.mark.parametrize(("disk", "written"), [("NFD", "NFC"), ("NFC", "NFD")])
    def test_unicode_normalisation_makes_no_difference(
        self, tmp_path: Path, disk: Literal["NFC", "NFD"], written: Literal["NFC", "NFD"]
    ) -> None:
        picture(tmp_path / unicodedata.normalize(disk, "K\xe4se.png"))
        for text in ("K\xe4se.png", "K\xe4*.png", "?\xe4se.png"):
            (source,) = found(tmp_path, f'file: "{unicodedata.normalize(written, text)}"')
            assert source.id == "Kase"
            assert source.pixels().shape == (32, 32, 3)

    def test_endings_match_whatever_their_case(self, tmp_path: Path) -> None:
        for name in ("a.jpg", "b.JPG", "c.Jpg", "C2.png", "d.jpeg"):
            picture(tmp_path / name)
        assert [source.id for source in found(tmp_path, 'file: "?.jpg"')] == ["a", "b", "c"]
        assert [source.id for source in found(tmp_path, 'file: "[a-c]*.jp*g"')] == ["a", "b", "c"]
        assert [source.id for source in found(tmp_path, 'file: "[!a-c].JP*"')] == ["d"]

    @pytest.mark.parametrize("name", ["tilde~.png", "100%.png", "a#b.png", "x;y.png", "'q'.png", "$(ls).png"])
    def test_odd_characters_in_a_name_do_no_harm(self, tmp_path: Path, name: str) -> None:
        picture(tmp_path / name)
        assert found(tmp_path, f'{{file: "{name}", id: fine}}')[0].name == name

    def test_a_pattern_takes_no_id(self, tmp_path: Path) -> None:
        picture(tmp_path / "x.png")
        assert "leave out `id`" in refusal(tmp_path, '{file: "*.png", id: mine}')

    def test_a_file_that_two_patterns_find(self, tmp_path: Path) -> None:
        picture(tmp_path / "x.png")
        with pytest.raises(StimgenError, match=r"p\.yaml:5: two sources have the id 'x': x\.png and x\.png"):
            found(tmp_path, 'file: "*.png"', "file: x.png")
        assert [source.id for source in found(tmp_path, "file: x.png", "{file: x.png, id: X2}")] == [
            "x",
            "X2",
        ]

    def test_a_file_that_changed_since_the_plan(self, tmp_path: Path) -> None:
        picture(tmp_path / "x.png")
        (source,) = found(tmp_path, "file: x.png")
        picture(tmp_path / "x.png", "L")
        with pytest.raises(StimgenError, match="changed since the plan was made"):
            source.pixels()

    @pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
    def test_modes_with_a_meaning(self, tmp_path: Path, mode: str) -> None:
        picture(tmp_path / "x.png", mode)
        (source,) = found(tmp_path, "file: x.png")
        assert source.pixels().shape == source.shape == (32, 32, 1 if mode in "1L" else 3)


class TestInside:
    @pytest.mark.parametrize(
        "written", ["../x.png", "sub/../../x.png", "{absolute}", "link.png", "linked/x.png"]
    )
    def test_a_file_outside_is_refused_and_allowed_by_a_root(self, tmp_path: Path, written: str) -> None:
        study = tmp_path / "study"
        (study / "sub").mkdir(parents=True)
        outside = picture(tmp_path / "x.png")
        (study / "link.png").symlink_to(outside)
        (study / "linked").symlink_to(tmp_path, target_is_directory=True)
        entry = "{id: fine, file: " + written.format(absolute=outside) + "}"
        message = refusal(study, entry)
        assert message.startswith(f"the source lies outside of {study}\n")
        assert "--root FOLDER" in message
        (source,) = found(study, entry, root=tmp_path)
        assert source.file == outside
        assert "lies outside" in refusal(study, entry, root=tmp_path / "another")

    def test_what_lies_outside_is_not_even_looked_at(self, tmp_path: Path) -> None:
        assert "lies outside" in refusal(tmp_path, "file: /etc/passwd")
        assert "lies outside" in refusal(tmp_path, "file: /no/such/file.png")

    def test_a_pattern_does_not_lead_outside(self, tmp_path: Path) -> None:
        study = tmp_path / "study"
        study.mkdir()
        (study / "link.png").symlink_to(picture(tmp_path / "x.png"))
        assert "lies outside" in refusal(study, 'file: "*.png"')
        for pattern in ("../*.png", f"{tmp_path}/*.png", "sub/../../*.png", "/*.png"):
            assert "--root FOLDER" in refusal(study, f'file: "{pattern}"')
        assert ".. after its first wildcard" in refusal(study, 'file: "*/../../*.png"', root=tmp_path)

    @pytest.mark.parametrize("written", ["../photos/*.png", "{root}/photos/*.png", "{root}/**/?.png"])
    def test_a_root_allows_patterns_and_absolute_paths_under_it(self, tmp_path: Path, written: str) -> None:
        study, pattern = tmp_path / "study", written.format(root=tmp_path)
        files = [picture(tmp_path / "photos" / name) for name in ("a.png", "b.png")]
        study.mkdir()
        assert "--root FOLDER" in refusal(study, f'file: "{pattern}"')
        assert "lies outside" in refusal(study, f'file: "{pattern}"', root=tmp_path / "elsewhere")
        sources = found(study, f'file: "{pattern}"', root=tmp_path)
        prefix = "../" if written.startswith("..") else f"{tmp_path}/"
        assert [source.name for source in sources] == [f"{prefix}photos/a.png", f"{prefix}photos/b.png"]
        assert [source.file for source in sources] == files
        (one,) = found(study, f'file: "{files[1]}"', root=tmp_path)
        assert (one.name, one.file) == (str(files[1]), files[1])

    @pytest.mark.parametrize("written", ["{root}/*.png", "{root}/linked/*.png", "{root}/*/x.png"])
    def test_links_do_not_lead_out_of_a_root(self, tmp_path: Path, written: str) -> None:
        root, outside = tmp_path / "root", picture(tmp_path / "outside" / "x.png")
        root.mkdir()
        (root / "link.png").symlink_to(outside)
        (root / "linked").symlink_to(outside.parent, target_is_directory=True)
        pattern = written.format(root=root)
        (tmp_path / "study").mkdir()
        assert "lies outside" in refusal(tmp_path / "study", f'file: "{pattern}"', root=root)

    def test_a_link_that_stays_inside(self, tmp_path: Path) -> None:
        file = picture(tmp_path / "photos" / "x.png")
        (tmp_path / "link.png").symlink_to(file)
        assert found(tmp_path, "file: link.png")[0].file == file

    def test_a_link_to_itself(self, tmp_path: Path) -> None:
        (tmp_path / "x.png").symlink_to(tmp_path / "x.png")
        assert refusal(tmp_path, "file: x.png")

    def test_a_name_with_a_nul(self, tmp_path: Path) -> None:
        with pytest.raises(StimgenError, match="cannot be followed"):
            find_files("a\0b.png", tmp_path, None)


class TestRefused:
    def test_missing(self, tmp_path: Path) -> None:
        assert refusal(tmp_path, "file: nothere.png") == f"{tmp_path}/nothere.png: no such image file"

    def test_a_pattern_for_nothing(self, tmp_path: Path) -> None:
        assert refusal(tmp_path, 'file: "*.png"') == f"no image file matches '*.png' in {tmp_path}"

    @pytest.mark.parametrize("pattern", ["**.png", "a**/b.png"])
    def test_a_pattern_that_is_none(self, tmp_path: Path, pattern: str) -> None:
        # Newer versions of Python read it as an ordinary pattern.
        message = refusal(tmp_path, f'file: "{pattern}"')
        assert message.startswith((f"the pattern '{pattern}' cannot be used", "no image file matches"))

    def test_an_unknown_picture_of_scikit_image(self, tmp_path: Path) -> None:
        message = refusal(tmp_path, "file: skimage:brik")
        assert message.startswith("scikit-image contains no picture 'brik'\n  allowed: astronaut, brick, ")
        assert message.endswith("did you mean 'brick'?")

    @pytest.mark.parametrize("name", ["'skimage:'", "skimage:../data/brick", "skimage:/etc/passwd"])
    def test_scikit_image_is_no_way_out(self, tmp_path: Path, name: str) -> None:
        assert "contains no picture" in refusal(tmp_path, f"file: {name}")

    def test_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "x.png").mkdir()
        assert "cannot be read" in refusal(tmp_path, "file: x.png")
        assert "no image file matches" in refusal(tmp_path, 'file: "*.png"')

    @pytest.mark.parametrize(
        ("folder", "told"),
        [(b"caf\xe9", r"caf\udce9"), (b"\x1b[31m", r"\x1b[31m"), (b"two\nlines", r"two\nlines")],
    )
    def test_a_folder_whose_name_is_no_text_is_recorded_with_escapes(
        self, tmp_path: Path, folder: bytes, told: str
    ) -> None:
        if sys.platform != "linux":
            pytest.skip("other systems have no such names")
        picture(tmp_path / os.fsdecode(folder) / "x.png")
        (source,) = found(tmp_path, 'file: "*/*.png"')
        assert (source.id, source.name) == ("x", f"{told}/x.png")
        assert source.pixels().shape == source.shape

    def test_a_long_name(self, tmp_path: Path) -> None:
        assert "File name too long" in refusal(tmp_path, f"file: {'a' * 300}.png")

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            pytest.param(b"", "is empty", id="empty"),
            pytest.param(b"not a picture", "not an image that can be read", id="text"),
            pytest.param(b"<svg width='9' height='9'/>", "this is a drawing (SVG)", id="svg"),
            pytest.param(encoded("TGA"), "not an image that can be read", id="tga"),
            pytest.param(encoded("PNG")[:20], "image", id="half a header"),
            pytest.param(encoded("PNG")[:2000], "damaged or truncated", id="half a PNG"),
            pytest.param(encoded("PNG")[:-30], "damaged or truncated", id="most of a PNG"),
            pytest.param(encoded("JPEG")[:800], "damaged or truncated", id="half a JPEG"),
            pytest.param(encoded("BMP")[:3000], "damaged or truncated", id="half a BMP"),
            pytest.param(encoded("TIFF")[:3000], "damaged", id="half a TIFF"),
            pytest.param(bomb(30_000, 30_000), TOO_MANY, id="bomb"),
            pytest.param(bomb(MAXIMUM_PIXELS // 1000 + 1, 1000), TOO_MANY, id="little bomb"),
            pytest.param(bomb(2**31 - 1, 2**31 - 1), TOO_MANY, id="great bomb"),
            pytest.param(bomb(0, 0), "image", id="no pixels"),
            pytest.param(bomb(40, 40), "damaged or truncated", id="nothing after the header"),
        ],
    )
    def test_no_picture(self, tmp_path: Path, data: bytes, told: str) -> None:
        (tmp_path / "x.png").write_bytes(data)
        message = refusal(tmp_path, "file: x.png")
        assert message.startswith(f"{tmp_path}/x.png: ")
        assert told in message

    def test_modes_without_a_fixed_meaning(self, tmp_path: Path) -> None:
        picture(tmp_path / "x.jpg", "CMYK")
        assert "its mode 'CMYK' has no fixed meaning as colours" in refusal(tmp_path, "file: x.jpg")
        picture(tmp_path / "x.tif", "F")
        assert "range: [" in refusal(tmp_path, "file: x.tif")

    @pytest.mark.parametrize("mode", ["RGBA", "LA"])
    def test_transparency(self, tmp_path: Path, mode: str) -> None:
        image = Image.fromarray(NOISE).convert(mode)
        image.save(tmp_path / "opaque.png")
        assert found(tmp_path, "file: opaque.png")[0].pixels().shape[:2] == (32, 32)
        image.putpixel((20, 20), (9, 200) if mode == "LA" else (9, 9, 9, 200))
        image.save(tmp_path / "x.png")
        assert "has transparent parts" in refusal(tmp_path, "file: x.png")

    @pytest.mark.parametrize(
        ("source", "told"),
        [
            ("{file: x.png, size: 41}", "the crop has 40 x 40 pixels, so 41 x 41 would enlarge it"),
            ("{file: x.png, crop: none, size: [32, 41]}", "the crop has 48 x 40 pixels, so 32 x 41 would"),
            ("{file: x.png, crop: {box: [20, 0, 29, 40]}}", "does not fit into its 48 x 40 pixels"),
            ("{file: x.png, crop: {box: [0, 1, 40, 40]}}", "does not fit into its 48 x 40 pixels"),
        ],
    )
    def test_a_crop_or_size_that_does_not_fit(self, tmp_path: Path, source: str, told: str) -> None:
        picture(tmp_path / "x.png")
        assert told in refusal(tmp_path, source)

    def test_two_names_that_differ_in_case_alone(self, tmp_path: Path) -> None:
        picture(tmp_path / "x.png")
        picture(tmp_path / "X.jpg")
        ids = [source.id for source in found(tmp_path, "file: x.png", "file: X.jpg")]
        assert ids == ["x-3910c650", "X-" + sha256_bytes(b"X.jpg")[:8]]
        assert sha256_bytes(b"x.png")[:8] == "3910c650"

    def test_two_sources_that_are_given_one_id(self, tmp_path: Path) -> None:
        picture(tmp_path / "x.png")
        picture(tmp_path / "y.png")
        with pytest.raises(StimgenError, match=r"p\.yaml:5: two sources have the id 'A': x\.png and y\.png"):
            found(tmp_path, "{file: x.png, id: a}", "{file: y.png, id: A}")

    def test_nearest_names_are_told(self, tmp_path: Path) -> None:
        picture(tmp_path / "photos" / "brick.png")
        assert refusal(tmp_path, "file: photos/brik.png").endswith("did you mean 'brick.png'?")
        assert refusal(tmp_path, 'file: "photos/brick*.jpg"').endswith("did you mean 'brick.png'?")
        assert refusal(tmp_path, 'file: "foto/*.png"').endswith("did you mean 'photos'?")
        assert "**/* goes into folders" in refusal(tmp_path, 'file: "*.png"')


class TestSeveralBadSources:
    """Everything that is wrong is told at once, a line for each file."""

    def test_all_that_cannot_be_planned(self, tmp_path: Path) -> None:
        picture(tmp_path / "good.png")
        (tmp_path / "empty.png").write_bytes(b"")
        (tmp_path / "text.png").write_bytes(b"text")
        with pytest.raises(StimgenError) as caught:
            found(tmp_path, "file: empty.png", "file: good.png", "file: text.png", "file: absent.png")
        lines = [line for line in str(caught.value).split("\n") if not line.startswith("  ")]
        assert [line.split("p.yaml:")[1][0] for line in lines] == ["4", "6", "7"]
        assert [name in line for name, line in zip(("empty", "text", "absent"), lines, strict=True)] == [
            True
        ] * 3

    def test_all_of_a_pattern(self, tmp_path: Path) -> None:
        picture(tmp_path / "good.png")
        for name in ("a", "b"):
            (tmp_path / f"{name}.png").write_bytes(name.encode())
        with pytest.raises(StimgenError) as caught:
            found(tmp_path, 'file: "*.png"')
        assert "a.png: not an image" in str(caught.value)
        assert "b.png: not an image" in str(caught.value)

    def test_all_whose_pixels_are_damaged(self, tmp_path: Path) -> None:
        for name in ("a", "b", "good"):
            data = encoded("JPEG")
            damaged = data[: len(data) // 2] + name.encode()
            (tmp_path / f"{name}.jpg").write_bytes(data if name == "good" else damaged)
        file = protocol(tmp_path, 'file: "*.jpg"')
        with pytest.raises(StimgenError) as caught:
            generate_set(load_protocol(file), tmp_path / "set")
        assert [f"{name}.jpg: the image is damaged" in str(caught.value) for name in "ab"] == [True, True]
        assert "good" not in str(caught.value)
        assert not (tmp_path / "set").exists()


class TestRead:
    """What is done to the numbers of a file is recorded, and its id follows its pixels."""

    def test_records_have_something_new_only_where_something_was_done(self, tmp_path: Path) -> None:
        levels = NOISE[:, :, :1]
        (tmp_path / "linear.png").write_bytes(encode_png(levels, "linear"))
        (tmp_path / "plain.png").write_bytes(encode_png(levels))
        linear, plain, stored = found(
            tmp_path, "file: linear.png", "file: plain.png", "{file: linear.png, id: x, colour: as_stored}"
        )
        records = [source_record(source, "0" * 64, OutputSettings()) for source in (linear, plain, stored)]
        assert records[0].to_dict()["read"] == {"colour": "to sRGB, from what gAMA declares"}
        assert ["read" in record.to_dict() for record in records[1:]] == [False, False]
        assert np.array_equal(stored.pixels(), plain.pixels())
        assert (linear.pixels() > plain.pixels())[plain.pixels() < 1].mean() > 0.9
        assert linear.original_id != stored.original_id

    def test_a_linear_picture_keeps_its_numbers_in_a_linear_set(self, tmp_path: Path) -> None:
        (tmp_path / "x.png").write_bytes(encode_png(NOISE, "linear"))
        file = protocol(tmp_path, "{file: x.png, crop: none, size: [48, 40]}")
        file.write_text(file.read_text(encoding="utf-8") + "output: {encoding: linear}\n", encoding="utf-8")
        ((source,), _) = plan_sources(load_protocol(file))
        assert np.array_equal(source.pixels(), as_pixels(NOISE))
        assert source.encode(source.pixels()) == encode_png(NOISE, "linear")

    def test_errors_name_the_line_of_the_key(self, tmp_path: Path) -> None:
        picture(tmp_path / "x.png")
        with pytest.raises(StimgenError, match=r"p\.yaml:4: .*the first number of `range`"):
            found(tmp_path, "{file: x.png, range: [1, 0]}")
        with pytest.raises(StimgenError, match=r"p\.yaml:4: .*there is no frame 2"):
            found(tmp_path, "{file: x.png, frame: 2}")
        with pytest.raises(StimgenError, match=r"beyond the range 0 to 100"):
            found(tmp_path, "{file: x.png, range: [0, 100]}")[0].pixels()
        with pytest.raises(StimgenError, match="allowed: .*declared.*as_stored.*linear"):
            found(tmp_path, "{file: x.png, colour: adobe}")
