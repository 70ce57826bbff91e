"""Strict YAML: YAML 1.2 scalars, refusals with the right line, lines of nested values."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

from stimgen.reading.document import MAXIMUM_BYTES, MAXIMUM_DEPTH, parse_document, read_document
from stimgen.reading.errors import StimgenError

FILE = Path("some/p.yaml")


def refusal(text: str) -> str:
    with pytest.raises(StimgenError) as caught:
        parse_document(text, FILE)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("+12e03", 12000.0),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("-.inf", -math.inf),
        (".INF", math.inf),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("+7", 7),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("2024-01-31", "2024-01-31"),
        ("=", "="),
        ("1e", "1e"),
        ("e3", "e3"),
        ("0x", "0x"),
        ("-0x1F", "-0x1F"),
        ("1.2.3", "1.2.3"),
        ('"5"', "5"),
        ("'true'", "true"),
        ('""', ""),
        ("relu1_1", "relu1_1"),
        ('"é\\u00e9\\t"', "éé\t"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written: str, meant: Any) -> None:
    found = parse_document(f"key: {written}\n", FILE).data["key"]
    assert found == meant
    assert type(found) is type(meant)


def test_not_a_number_is_a_number() -> None:
    assert math.isnan(parse_document("[.nan]", FILE).data[0])


def test_keys_are_text_whatever_they_look_like() -> None:
    assert parse_document("1: a\ntrue: b\nnull: c\n2.0: d\n", FILE).data == {
        "1": "a",
        "true": "b",
        "null": "c",
        "2.0": "d",
    }


def test_json_is_yaml() -> None:
    text = '{"a": [1, 2.5, -3e2, "x\\n\\"y\\"", null, true, {}], "b": []}'
    assert parse_document(text, FILE).data == {"a": [1, 2.5, -300.0, 'x\n"y"', None, True, {}], "b": []}


def test_every_value_has_its_line() -> None:
    document = parse_document(
        "# a comment\n"  # 1
        "name: x\n"
        "conditions:\n"  # 3
        "  - id: a\n"
        "    layers:\n"  # 5
        "      - relu1_1\n"
        "      - pool1\n"  # 7
        "  -\n"
        "    id: b\n"  # 9
        "    network: {weights:\n"
        "       random,\n"  # 11
        "       pooling: average}\n"
        "notes: >\n"  # 13
        "  text\n",
        FILE,
    )
    lines = {
        (): 2,
        ("name",): 2,
        ("conditions",): 3,
        ("conditions", 0): 4,
        ("conditions", 0, "id"): 4,
        ("conditions", 0, "layers"): 5,
        ("conditions", 0, "layers", 0): 6,
        ("conditions", 0, "layers", 1): 7,
        ("conditions", 1): 9,
        ("conditions", 1, "id"): 9,
        ("conditions", 1, "network"): 10,
        ("conditions", 1, "network", "weights"): 10,
        ("conditions", 1, "network", "pooling"): 12,
        ("notes",): 13,
    }
    assert document.lines == lines


def test_a_place_that_is_not_there_is_that_of_the_nearest_holder() -> None:
    document = parse_document("a:\n  b:\n    - 1\n    - c: 2\n", FILE)
    assert str(document.where(("a", "b", 1, "c"))) == f"{FILE}:4"
    assert str(document.where(("a", "b", 7))) == f"{FILE}:2"
    assert str(document.where(("nothing", "here"))) == f"{FILE}:1"
    # A step that stands in no file, such as a union's tag, is passed over.
    assert str(document.where(("a", "<tag>", "b", "list", 0))) == f"{FILE}:3"


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "'a' appears twice"),
        ("x:\n  - {a: 1,\n     a: 2}\n", 3, "'a' appears twice"),
        ('a: 1\n"a": 2\n', 2, "'a' appears twice"),
        ("1: a\n'1': b\n", 2, "'1' appears twice"),
        ("a: &x 1\nb: 2\n", 1, "anchors and aliases"),
        ("b: 2\na: *x\n", 2, "anchors and aliases"),
        ("b: 2\n&x a: 1\n", 2, "anchors and aliases"),
        ("a:\n  - 1\n  - &x [1]\n", 3, "anchors and aliases"),
        ("base: 1\nmore:\n  <<: *base\n", 3, "anchors and aliases"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", 2, "python/object/apply:os.system"),
        ("a: 1\nb: !!python/name:os.system\n", 2, "tag"),
        ("b: !mine x\n", 1, "'!mine'"),
        ("b: ! x\n", 1, "tag"),
        ("b: !!bool perhaps\n", 1, "tag"),
        ("b: !!float ''\n", 1, "tag"),
        ("b: !!timestamp never\n", 1, "tag"),
        ("a: 1\nb: !!binary aaaa\n", 2, "tag"),
        ("!!str a: 1\n", 1, "tag"),
        ("b: !!set {a, b}\n", 1, "tag"),
        ("a: 1\n? [1, 2]\n: b\n", 2, "single word"),
        ("a: 1\n? {b: c}\n: d\n", 2, "single word"),
        ("a: 1\n{b: c}: d\n", 2, "single word"),
        ("a: 1\n---\nb: 1\n", 2, "single document"),
        ("a: 1\n...\n---\nb: 1\n", 3, "single document"),
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "not valid YAML"),
        ("a: 1\nb: {c: 1\n", 3, "not valid YAML"),
        ("a: 1\n b: 2\n", 2, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("a: b: c\n", 1, "not valid YAML"),
        ("a: 1\nb: 'c\n", 3, "not valid YAML"),
        ("a: 1\nb: @c\n", 2, "not valid YAML"),
        ("a: 1\nb: %c\n", 2, "not valid YAML"),
        ("%YAML 3.0\n---\na: 1\n", 1, "not valid YAML"),
        ("a: 1\nb: \x07\n", 2, "#x0007"),
        ("a: 1\nb: \x1b[31m\n", 2, "#x001b"),
        ("a: 1\n\x00", 2, "#x0000"),
        ('a: 1\nb: "\\x1b[31m"\n', 2, "#x001b"),
        ('a: 1\nb:\n  - "\\0"\n', 3, "#x0000"),
        ('a: 1\nb: "\\ud800"\n', 2, "#xd800"),
        ('a: 1\n"\\e": 2\n', 2, "#x001b"),
        ('a: 1\nb: "\\UFFFFFFFF"\n', 2, "not valid YAML"),
        ('a: 1\nb: "\\U00110000"\n', 2, "not valid YAML"),
        ('a: 1\nb: "\\q"\n', 2, "not valid YAML"),
        ("a: 1\nb: " + "1" * 101 + "\n", 2, "101 digits"),
        ("a: 1\nb: 0x" + "f" * 101 + "\n", 2, "103 digits"),
        ("a: 1\nb: " + "[" * 60 + "]" * 60 + "\n", 2, "nested"),
        ("a: 1\nb: " + "{c: " * 60 + "1" + "}" * 60 + "\n", 2, "nested"),
        ("- " * 60 + "a\n", 1, "nested"),
        ("[" * 500_000, 1, "nested"),
    ],
)
def test_what_is_not_accepted_is_named_with_its_line(text: str, line: int, word: str) -> None:
    message = refusal(text)
    assert message.startswith(f"{FILE}:{line}: ")
    assert word in message
    assert message.replace("\n", "").isprintable()


@pytest.mark.parametrize("pattern", ["*.jpg", "*", "*_mask.png", "*jpg", "*/*.png"])
def test_an_unquoted_pattern_is_to_be_quoted(pattern: str) -> None:
    for text in (f"name: p\nsources:\n  - file: {pattern}\n", f"a: 1\n\nb: [{{file: {pattern}}}]\n"):
        message = refusal(text)
        assert message.startswith(f"{FILE}:3: ")
        assert 'in quotes, for example file: "*.jpg"' in message
        quoted = text.replace(pattern, f'"{pattern}"')
        assert parse_document(quoted, FILE).data is not None


def test_merge_keys_merge_nothing() -> None:
    assert parse_document("<<: {a: 1}\nb: 2\n", FILE).data == {"<<": {"a": 1}, "b": 2}


def test_nesting_to_the_limit_is_accepted() -> None:
    assert parse_document("[" * MAXIMUM_DEPTH + "]" * MAXIMUM_DEPTH, FILE).data is not None
    assert f"more than {MAXIMUM_DEPTH} deep" in refusal("[" * (MAXIMUM_DEPTH + 1))


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n...\n"])
def test_an_empty_file(text: str) -> None:
    if text.startswith("---"):
        assert parse_document(text, FILE).data is None
    else:
        assert refusal(text) == f"{FILE}: the file is empty"


def read(tmp_path: Path, raw: bytes) -> Any:
    file = tmp_path / "p.yaml"
    file.write_bytes(raw)
    return read_document(file).data


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfa: 1\n") == {"a": 1}
    assert read_document(tmp_path / "p.yaml").text == "a: 1\n"


def test_line_ends_of_other_systems(tmp_path: Path) -> None:
    assert read(tmp_path, b"a: 1\r\nb:\r\n  - 2\r\n") == {"a": 1, "b": [2]}


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"a: 1\nb: caf\xe9\n", ":2"),
        ("a: é\n".encode("utf-16"), ":1"),
        (b"a: 1\nb: 2\nc: \xff", ":3"),
        (b"\x89PNG\r\n\x1a\n", ":1"),
    ],
)
def test_text_that_is_not_utf_8(tmp_path: Path, raw: bytes, place: str) -> None:
    with pytest.raises(StimgenError, match=re.escape(f"p.yaml{place}: not UTF-8 text")):
        read(tmp_path, raw)


def test_utf_16_without_a_mark_is_not_understood(tmp_path: Path) -> None:
    with pytest.raises(StimgenError, match=r"p\.yaml:1: .*#x0000"):
        read(tmp_path, "a: 1\n".encode("utf-16-le"))


def test_a_file_of_just_one_megabyte_is_read_and_no_more(tmp_path: Path) -> None:
    line = b"a: 1\n"
    assert read(tmp_path, line + b"#" * (MAXIMUM_BYTES - len(line))) == {"a": 1}
    with pytest.raises(StimgenError, match=r"p\.yaml: larger than 1,000,000 bytes"):
        read(tmp_path, line + b"#" * (MAXIMUM_BYTES - len(line) + 1))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no endless file on this system")
def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(StimgenError, match="larger than"):
        read_document(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("missing.yaml", "no such file"),
        ("folder", "cannot be read"),
        ("missing/p.yaml", "no such file"),
        ("a" * 300 + ".yaml", "cannot be read"),
        ("a\0b.yaml", "no file can have this name"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, word: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StimgenError, match=word) as caught:
        read_document(tmp_path / name)
    assert str(caught.value).isprintable()
    assert str(tmp_path) in str(caught.value)
