"""Sets, journals and pictures from strangers: refused with a message, or made harmless.

Photographs and protocols: `unit/test_read.py`, `unit/test_sources.py`, `unit/test_document.py`,
`test_bad_protocols.py`, `test_bad_weights.py`. Here: what reads finished sets, and what is changed at random.
"""

from __future__ import annotations

import csv
import io
import json
import os
import pickle
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz import KINDS, PROTOCOL, READERS, Home, case, prepared
from hand_made import Wanted, write_set
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from stimgen.cli.set_text import format_confounds
from stimgen.images.read import ImageFile
from stimgen.networks.weights.base import StateDictSpec, read_weights
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes, sha256_file
from stimgen.stimulus_set.store import Store, json_bytes, record_file
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.cite import cite_set
from stimgen.workflow.confounds import tabulate_confounds
from stimgen.workflow.report import write_report

CASES = 60  # of each kind here; `fuzz.py 10000` is the long version


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return prepared(tmp_path_factory.mktemp("fuzz"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return write_set(tmp_path / "set", Wanted(sources=("brick",), seeds=(1, 2)))


class TestChangedAtRandom:
    def test_what_is_changed_was_sound(self, home: Home) -> None:
        (home.folder / "sound.yaml").write_text(PROTOCOL)
        assert len(make_plan(load_protocol(home.folder / "sound.yaml")).stimuli) == 12
        for name in ("verify", "report", "cite", "confounds", "table", "contact sheet", "export zip"):
            with home.copy("small") as folder:
                READERS[name](folder)

    @pytest.mark.parametrize("kind", dict.fromkeys(KINDS), ids=lambda kind: kind.__name__)
    def test_it_is_understood_or_refused(self, home: Home, kind: Any) -> None:
        results = [case(home, number, (kind,)) for number in range(CASES)]
        failed = {
            number: r.outcome
            for number, r in enumerate(results)
            if r.outcome not in ("understood", "refused")
        }
        assert failed == {}
        assert {result.outcome for result in results} == {"understood", "refused"}


def refusals(store: Store) -> Iterator[str]:
    """Yield what each command says that shows pictures; exports are refused, too, of what is not sound."""
    with pytest.raises(StimgenError):
        READERS["export psychopy"](store.folder)
    for name in ("report", "confounds", "contact sheet"):
        with pytest.raises(StimgenError) as caught:
            READERS[name](store.folder)
        yield str(caught.value)


def change(store: Store, **changes: Any) -> None:
    """Change the content of the first record, as a stranger can."""
    name = record_file(store.read_plan().ids[0])
    record = json.loads(store.read(name))
    record["content"].update(changes)
    store.write(name, json_bytes(record))


def replace_picture(store: Store, data: bytes) -> None:
    change(store, file="images/other.png", sha256=sha256_bytes(data))
    store.write("images/other.png", data)


class TestPicturesOfSets:
    @pytest.mark.parametrize("side", [9_500, 60_000_000])
    def test_a_decompression_bomb_is_not_unpacked(self, store: Store, side: int) -> None:
        """From 90 million pixels on, of which Pillow only warns, and far above."""
        replace_picture(store, png_of(side))
        assert all("not a readable PNG picture" in said for said in refusals(store))
        assert any("images/other.png: not a readable PNG" in found for found in verify_set(store).problems)

    @pytest.mark.parametrize("kind", ["JPEG", "GIF", "TIFF"])
    def test_another_format_under_the_name_of_a_png(self, store: Store, kind: str) -> None:
        buffer = io.BytesIO()
        Image.new("L", (12, 10)).save(buffer, format=kind)
        replace_picture(store, buffer.getvalue())
        assert all("not a readable PNG picture" in said for said in refusals(store))

    def test_a_truncated_picture(self, store: Store) -> None:
        data = store.read(next(store.read_records()).content.file)
        replace_picture(store, data[: len(data) // 2])
        assert all("not a readable PNG picture" in said for said in refusals(store))

    @pytest.mark.parametrize("mode", ["P", "RGBA", "1", "LA"])
    def test_a_picture_of_a_mode_that_sets_do_not_have(self, store: Store, mode: str) -> None:
        buffer = io.BytesIO()
        Image.new(mode, (12, 10)).save(buffer, format="PNG")
        replace_picture(store, buffer.getvalue())
        with pytest.raises(StimgenError, match="has mode"):
            tabulate_confounds(store.folder)

    def test_a_long_text_hidden_in_a_picture(self, store: Store) -> None:
        info, buffer = PngInfo(), io.BytesIO()
        info.add_text("comment", "a" * 2_000_000, zip=True)
        Image.new("L", (12, 10)).save(buffer, format="PNG", pnginfo=info)
        replace_picture(store, buffer.getvalue())
        assert all("not a readable PNG picture" in said for said in refusals(store))

    def test_what_is_hidden_in_a_picture_of_few_pixels_is_no_code(self, store: Store) -> None:
        """Pictures stand in the page as letters of base64, whatever their bytes are."""
        info, buffer = PngInfo(), io.BytesIO()
        info.add_text("comment", "</script><script>alert(1)</script>")
        Image.new("L", (12, 10)).save(buffer, format="PNG", pnginfo=info)
        replace_picture(store, buffer.getvalue())
        assert "alert(1)" not in write_report(store.folder)[0].read_text(encoding="utf-8")


def png_of(side: int) -> bytes:
    """Return a PNG file whose header says that it has `side` rows of 10,000 pixels."""
    buffer = io.BytesIO()
    Image.new("L", (10_000, 1)).save(buffer, format="PNG")
    data = bytearray(buffer.getvalue())
    data[20:24] = struct.pack(">I", side)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


class TestPhotographs:
    """What `unit/test_read.py` leaves."""

    def test_much_metadata_does_no_harm(self) -> None:
        exif, buffer = Image.Exif(), io.BytesIO()
        exif[0x010E] = "a" * 65_000
        Image.new("RGB", (16, 16), (10, 20, 30)).save(buffer, format="JPEG", exif=exif, quality=100)
        assert ImageFile(Path("photo"), buffer.getvalue()).decode().shape == (16, 16, 3)

    def test_a_large_colour_profile_is_used_and_a_huge_one_refused(self) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        buffer = io.BytesIO()
        Image.new("RGB", (16, 16)).save(buffer, format="PNG", icc_profile=profile + b"\0" * 900_000)
        assert ImageFile(Path("photo"), buffer.getvalue()).decode().shape == (16, 16, 3)
        buffer = io.BytesIO()
        Image.new("RGB", (16, 16)).save(buffer, format="PNG", icc_profile=profile + b"\0" * 30_000_000)
        with pytest.raises(StimgenError, match="too large"):
            ImageFile(Path("photo"), buffer.getvalue()).decode()


class TestPlaces:
    @pytest.mark.parametrize(
        "name", ["../outside.png", "/etc/hostname", "images/../../outside.png", "a\0b", "x" * 5000]
    )
    @pytest.mark.parametrize("key", ["file", "trace", "original"])
    def test_names_lead_nowhere_else(self, store: Store, tmp_path: Path, name: str, key: str) -> None:
        (tmp_path / "outside.png").write_bytes(store.read(next(store.read_records()).content.file))
        content = next(store.read_records()).content.to_dict()
        if key == "original":
            change(
                store, source=content["source"] | {"original": content["source"]["original"] | {"file": name}}
            )
        else:
            change(store, **{key: name if key == "file" else content["trace"] | {"file": name}})
        with pytest.raises(StimgenError):
            write_report(store.folder)
        assert not verify_set(store).sound
        if key != "trace":  # which they do not read
            assert all(said for said in refusals(store))

    def test_a_link_out_of_the_set_is_not_followed(self, store: Store, tmp_path: Path) -> None:
        picture = store.folder / next(store.read_records()).content.file
        picture.rename(tmp_path / "outside.png")
        picture.symlink_to(tmp_path / "outside.png")
        assert all("leads out of the set's folder" in said for said in refusals(store))

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes: this system has none with names")
    def test_nobody_waits_at_a_pipe(self, store: Store) -> None:
        picture = store.folder / next(store.read_records()).content.file
        picture.unlink()
        os.mkfifo(picture)
        assert all("is a pipe or a device" in said for said in refusals(store))
        assert any("is a pipe or a device" in found for found in verify_set(store).problems)

    def test_an_endless_file_is_not_read_to_its_end(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stimgen.stimulus_set.store.MAX_BYTES", 2**20)
        with (store.folder / next(store.read_records()).content.file).open("wb") as stream:
            stream.truncate(2**40)
        with pytest.raises(StimgenError, match="larger than 1 MB"):
            write_report(store.folder)


NAMES = [
    "</script><b>", "<img src=x onerror=alert(1)>", "a\nb\r\nc", "\x1b[31mred\x07", "\x00", "\u202egnp.exe",
    "=1+1", "+A1", "-2", "@SUM(A1)", "\t=1", "$\\frac{", "{{ 7*7 }}", "%n%s", "\u2028", "",
    "x" * 3000, "\U000e0041",
]  # fmt: skip


DRAWN = ("\x1b[31mred\x07", "$\\frac{", "x" * 3000)
"""A figure takes longer than all the rest."""


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:20])
def test_names_are_only_names(store: Store, name: str) -> None:
    """In a page, a terminal, a table, a figure and citations."""
    content = next(store.read_records()).content.to_dict()
    source = content["source"] | {"id": name, "file": name, "credit": name, "licence": name}
    for stimulus in store.read_plan().ids:
        record = json.loads(store.read(record_file(stimulus)))
        record["content"].update(condition=name, stopped=name, source=source)
        record["made"].update(device=name, versions={name: name})
        store.write(record_file(stimulus), json_bytes(record))
    page = write_report(store.folder)[0].read_text(encoding="utf-8")
    plot = store.folder.parent / "c.svg" if name in DRAWN else None
    rows = tabulate_confounds(store.folder, store.folder.parent / "c.csv", plot)
    for text in (page, format_confounds(rows), cite_set(store.folder)[0]):
        assert all(c.isprintable() or c in "\n" for c in text)
    assert "<img src=x" not in page
    assert page.count("<script") == 1 + 2  # its own, and the data of two stimuli
    with (store.folder.parent / "c.csv").open(newline="", encoding="utf-8") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in cells)
    assert cells.count("-2") == 0
    assert isinstance(verify_set(store).problems, list)


class Harmful:
    """Unpickling it writes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.write_text, (self.file, "run")


@pytest.mark.parametrize("ending", [".pth", ".pt", ".safetensors"])
def test_pickled_code_in_weights_is_not_run(tmp_path: Path, ending: str) -> None:
    file, sign = tmp_path / f"weights{ending}", tmp_path / "sign"
    file.write_bytes(pickle.dumps({"features.0.weight": Harmful(sign)}))
    with pytest.raises(StimgenError, match="the weights cannot be read"):
        read_weights(file, sha256_file(file), StateDictSpec("vgg19", {"features.0.weight": (64, 3, 3, 3)}))
    assert not sign.exists()


def test_an_array_with_pickled_code_is_only_hashed(store: Store, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([Harmful(tmp_path / "sign")], dtype=object), allow_pickle=True)
    store.write("arrays/other.npy", buffer.getvalue())
    change(store, array={"file": "arrays/other.npy", "sha256": sha256_bytes(buffer.getvalue())})
    for name in ("verify", "report", "cite", "confounds", "table"):
        READERS[name](store.folder)
    assert not (tmp_path / "sign").exists()


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 50_000, "1" * 100_000, '"\\ud800"', "{}", "null", "\0", "NaN"]
)
@pytest.mark.parametrize("which", ["plan", "record"])
def test_json_that_is_none_of_ours(store: Store, text: str, which: str) -> None:
    name = "plan.json" if which == "plan" else record_file(store.read_plan().ids[0])
    store.write(name, text.encode())
    assert not verify_set(store).sound
    for reader in ("report", "cite", "confounds", "table", "export zip"):
        with pytest.raises(StimgenError, match="is damaged"):
            READERS[reader](store.folder)
