"""Whatever is done to a protocol, it is read or refused with a message, and never anything else."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimgen.protocol.load import LoadedProtocol, load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.protocol.schema import Protocol
from stimgen.reading.document import Document, parse_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import canonical_json
from stimgen.reading.model import validate
from stimgen.reading.shipped import PROTOCOLS

EVERYTHING = {
    "name": "p",
    "title": "T",
    "authors": [{"name": "A", "orcid": "0000-0002-1825-0097"}],
    "preparation": {"size": 32, "crop": "centre", "channels": "source"},
    "sources": [
        {"file": "skimage:brick", "id": "wall", "crop": {"box": [0, 0, 64, 64]}},
        {"file": "skimage:coffee", "licence": "CC0-1.0", "size": [32, 40]},
    ],
    "network": {"name": "vgg19", "weights": {"name": "random", "seed": 1}, "pooling": "average"},
    "statistic": {"name": "gram", "centred": True},
    "regions": "2x2",
    "synthesis": {"scales": 1, "evaluations": [3], "optimiser": {"history": 5}, "start": {"mean": 0.5}},
    "conditions": [
        {"id": "a", "depth": "pool1", "regions": {"overlap": 0.25}},
        {
            "id": "b",
            "layers": {"relu1_1": 1.0},
            "seeds": {"first": 3, "count": 2},
            "network": {"weights": "random"},
        },
        {
            "id": "c",
            "objective": [{"layers": ["relu1_1"], "weight": 2}, {"depth": "pool2", "regions": "1x1"}],
        },
    ],
    "seeds": [1, 2],
    "output": {"array": False, "layout": "flat"},
}

# What a mistaken hand, a program or an enemy may put in a place.
WORDS = """a .. / ../x.png * ** **.png [ skimage: ~ 2x2 0x0 99x99 9x vgg19 random imagenet file
gram noise image auto pool5 {0} %s name"""
NUMBERS = [0, -1, 1, 3, 2**53, 10**80, 0.5, -0.0, 1e300]
MAPPINGS = """{"":""} {"name":null} {"name":[]} {"name":{}} {"name":"file"} {"name":"image"} {"box":[]}
{"first":0} {"count":1000000} {"file":"x.png"} {"name":"vgg19","vgg19":1} {"list":[]}"""
ODD = [
    *(None, True, False, "", " ", "x" * 600, "é\u202e", *WORDS.split(), *NUMBERS),
    *(json.loads(mapping) for mapping in MAPPINGS.split()),
    *([], {}, [[]], [None], [{}], ["relu1_1"] * 3, list(range(50))),
]
Place = tuple[str | int, ...]


def places(data: Any, path: Place = ()) -> Iterator[Place]:
    """Yield the path of every value inside `data`."""
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in steps:
        yield (*path, step)
        yield from places(value, (*path, step))


def at(data: Any, path: Place) -> Any:
    for step in path:
        data = data[step]
    return data


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """Return a valid protocol after some deletions, replacements, duplications and moves."""
    data = copy.deepcopy(EVERYTHING)
    for _ in range(draw(st.integers(1, 3))):
        every = list(places(data))
        if not every:
            return data
        path = draw(st.sampled_from(every))
        holder, step = at(data, path[:-1]), path[-1]
        kind = draw(st.sampled_from(["delete", "replace", "add", "move", "double"]))
        if kind == "delete":
            del holder[step]
        elif kind == "replace":
            holder[step] = copy.deepcopy(draw(st.sampled_from(ODD)))
        elif kind == "move":
            holder[step] = copy.deepcopy(at(data, draw(st.sampled_from(every))))
        elif isinstance(holder, list):
            holder.insert(0, copy.deepcopy(draw(st.sampled_from(ODD)) if kind == "add" else holder[step]))
        else:
            key = draw(
                st.sampled_from(["name", "nme", "", "file", "<vgg19>", "weights", "id", "__class__", "size"])
            )
            holder[key] = copy.deepcopy(draw(st.sampled_from(ODD)) if kind == "add" else holder[step])
    return data


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutated") / "p.yaml"


def check_message(error: StimgenError, file: Path) -> None:
    message = str(error)
    assert message.startswith(f"{file}:")
    assert all(line.isprintable() for line in message.split("\n"))
    assert len(message.split("\n")) <= 16
    assert len(message) < 12_000


def check_refused_or_planned(file: Path) -> None:
    try:
        loaded = load_protocol(file)
        plan = make_plan(loaded)
    except StimgenError as error:
        check_message(error, file)
        return
    assert Protocol.model_validate(loaded.protocol.to_dict()) == loaded.protocol
    assert len({stimulus.id for stimulus in plan.stimuli}) == len(plan.stimuli)
    assert canonical_json(plan.stimuli[0].recipe)
    assert str(file.parent) not in canonical_json(plan.stimuli[0].recipe).decode()


def test_the_protocol_that_is_mutated_is_a_good_one(file: Path) -> None:
    file.write_text(json.dumps(EVERYTHING), encoding="utf-8")
    assert len(make_plan(load_protocol(file)).stimuli) == 2 * (2 + 2 + 2)


@given(mutated())
@settings(max_examples=100)
def test_a_mutated_protocol_is_planned_or_refused(file: Path, data: Any) -> None:
    # JSON is YAML.
    file.write_text(json.dumps(data), encoding="utf-8")
    check_refused_or_planned(file)


@pytest.mark.parametrize("odd", ODD, ids=[repr(odd)[:20] for odd in ODD])
def test_an_odd_value_in_every_place(file: Path, odd: Any) -> None:
    for path in places(EVERYTHING):
        data = copy.deepcopy(EVERYTHING)
        at(data, path[:-1])[path[-1]] = odd
        document = Document(file, "", data)
        try:
            validate(Protocol, data, document)
        except StimgenError as error:
            check_message(error, file)


TEXTS = [
    json.dumps(EVERYTHING, indent=1),
    *(shipped.read_text(encoding="utf-8") for shipped in PROTOCOLS.files().values()),
]


@given(st.sampled_from(TEXTS), st.data())
@settings(max_examples=100)
def test_mutated_text_is_planned_or_refused(file: Path, text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 8)))
        pieces = st.sampled_from(
            [
                "",
                ":",
                ": ",
                "- ",
                "\n",
                "\t",
                " ",
                "&a ",
                "*a",
                "!!int ",
                "|",
                ">",
                "'",
                '"',
                "[",
                "]",
                "{",
                "}",
            ]
            + [
                ", ",
                "#",
                "%",
                "@",
                "?",
                "? ",
                "---\n",
                "...\n",
                "\\",
                "\x00",
                "\ufeff",
                "\x85",
                "\u2028",
                "~",
                "<<: ",
            ]
        )
        text = text[:start] + data.draw(pieces | st.text(max_size=5)) + text[end:]
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    check_refused_or_planned(file)


@given(st.text(st.sampled_from("ab:-?,[]{}#&*!|>'\"%@` \t\n\\xuU0189.~=<\r\x85\u2028é"), max_size=40))
@settings(max_examples=500)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        found = parse_document(text, Path("p.yaml"))
    except StimgenError as error:
        check_message(error, Path("p.yaml"))
    else:
        breaks = sum(text.count(letter) for letter in "\n\r\x85\u2028")
        assert all(1 <= line <= breaks + 1 for line in found.lines.values())
        assert set(found.lines) == {(), *places(found.data)}


KEYS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=("Cc", "Cs")), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_json_is_read_as_it_was_written(value: Any) -> None:
    found = parse_document(json.dumps(value, ensure_ascii=True), Path("p.yaml")).data
    assert found == value or (isinstance(found, float) and math.isclose(found, value))


def loaded(seeds: str) -> LoadedProtocol:
    head = 'name: p\nsources: [{file: "skimage:brick"}]\nconditions: [{id: a, layers: [pool1]}]\n'
    document = parse_document(f"{head}seeds: {seeds}\n", Path("p.yaml"))
    return LoadedProtocol(document, Protocol.model_validate(document.data))


@given(st.integers(0, 2**53 - 1), st.integers(1, 50))
@settings(max_examples=40)
def test_a_list_of_seeds_is_a_range_of_them(first: int, count: int) -> None:
    first = min(first, 2**53 - count)
    written = make_plan(loaded(str(list(range(first, first + count)))))
    ranged = make_plan(loaded(f"{{first: {first}, count: {count}}}"))
    assert [stimulus.id for stimulus in written.stimuli] == [stimulus.id for stimulus in ranged.stimuli]
