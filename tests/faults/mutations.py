"""What strangers, broken disks and slips of the hand make of files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import yaml

HOSTILE: list[Any] = [
    *(
        None,
        True,
        "",
        " ",
        "yes",
        "x" * 1000,
        "../..",
        "/etc/passwd",
        "\u202e",
        "a\nb",
        "\x1b[31m",
        "=1+1",
        "$\\frac{",
        "</script>",
        "{score}",
        "%s",
        "-",
        "1e3",
    ),
    *(
        0,
        -1,
        1,
        2,
        7,
        255,
        256,
        10**9,
        -(10**9),
        10**50,
        0.0,
        -0.0,
        0.5,
        1e-300,
        1e308,
        float("inf"),
        float("nan"),
    ),
    *([], {}, [[]], [{}], {"name": "x"}, {"": ""}, ["a"] * 200, [1, 2], [0, 0], [1e9, -1e9]),
    *(
        "200 ms",
        "0 frames",
        "1 frames",
        "random",
        "same",
        "seed",
        "convert",
        "linear",
        "none",
        "both",
        "either",
    ),
]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from paths(value[key], (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy with another value at a path."""
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = new if len(path) == 1 else put(copy[path[0]], path[1:], new)
    return copy


class Plain(yaml.SafeDumper):
    """Without anchors, which are refused."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


Random = np.random.Generator


def pick(random: Random, among: Any) -> Any:
    """Return one of a sequence."""
    return among[int(random.integers(len(among)))]


def other_values(random: Random, value: Any) -> Any:
    """Return a mapping with one to three things changed: another value, none, or one from elsewhere in it."""
    for _ in range(int(random.integers(1, 4))):
        places = list(paths(value))
        if not places:
            return value
        place = pick(random, places)
        kind = int(random.integers(4))
        if kind == 0:
            value = without(value, place)
        elif kind == 1:
            value = put(value, place, at(value, pick(random, places)))
        else:
            value = put(value, place, pick(random, HOSTILE))
    return value


def at(value: Any, path: tuple[Any, ...]) -> Any:
    """Return what is at a path."""
    return at(value[path[0]], path[1:]) if path else value


def without(value: Any, path: tuple[Any, ...]) -> Any:
    """Return a copy without what is at a path."""
    holder = at(value, path[:-1])
    left = (
        {key: one for key, one in holder.items() if key != path[-1]}
        if isinstance(holder, dict)
        else [one for i, one in enumerate(holder) if i != path[-1]]
    )
    return put(value, path[:-1], left) if path[:-1] else left


def other_bytes(random: Random, data: bytes) -> bytes:
    """Return bytes with one thing changed: a bit, a piece lost, twice, elsewhere or new, the end cut off."""
    if not data:
        return bytes(random.integers(0, 256, 8, dtype=np.uint8))
    start, other = (int(random.integers(len(data))) for _ in range(2))
    stop = start + int(random.integers(1, 20))
    changes: list[Callable[[], bytes]] = [
        lambda: data[:start] + bytes([data[start] ^ 1 << int(random.integers(8))]) + data[start + 1 :],
        lambda: data[:start] + data[stop:],
        lambda: data[:other] + data[start:stop] + data[other:],
        lambda: data[:start] + bytes(random.integers(0, 256, 4, dtype=np.uint8)) + data[start:],
        lambda: data[:start] + pick(random, WORDS) + data[start:],
        lambda: data[:start],
    ]
    changed: bytes = pick(random, changes)()
    return changed


def other_lines(random: Random, data: bytes) -> bytes:
    """Return bytes with a line lost, twice, or in the place of another."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    here, there = (int(random.integers(len(lines))) for _ in range(2))
    changes: list[Callable[[], list[bytes]]] = [
        lambda: lines[:here] + lines[here + 1 :],
        lambda: lines[:there] + lines[here : here + 1] + lines[there:],
        lambda: [lines[there] if i == here else line for i, line in enumerate(lines)],
    ]
    return b"".join(pick(random, changes)())


def as_json(value: Any) -> bytes:
    """Return JSON, also of what JSON has no word for, as some programs write it."""
    return json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass")


def as_yaml(value: Any) -> bytes:
    """Return YAML without anchors."""
    return yaml.dump(value, Dumper=Plain, allow_unicode=True).encode("utf-8", "surrogatepass")


WORDS = (
    *(b"&a ", b"*a", b"<<: ", b"!!python/object/apply:os.system [id]", b"---\n", b"\0", b"\xff\xfe", b"\r\n"),
    *(b"[" * 2000, b"{" * 2000, b"1" * 5000, b"1e999", b"NaN", b"\\ud800", b"\xe2\x80\xae", b"../", b"=1+1"),
)
