"""Reads YAML strictly: YAML 1.2 scalars, no duplicate keys, aliases or tags, a limited size, known lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.files import read_limited

MAXIMUM_BYTES = 1_000_000
MAXIMUM_DEPTH = 50
ALIAS = "anchors and aliases (& and *) are not accepted"

Key = str | int
KeyPath = tuple[Key, ...]


@dataclass(frozen=True)
class Document:
    """Holds a YAML file's text, its data, and the line of every value."""

    file: Path
    text: str
    data: Any
    """Mappings, lists and scalars."""
    lines: dict[KeyPath, int] = field(default_factory=dict)
    """Line of each value, by its path of keys and indices."""

    def where(self, path: KeyPath) -> Location:
        """Return the location of the value at `path`, or of the nearest value that contains it.

        Steps that the data do not have, such as a union's tag, are ignored.
        """
        known: KeyPath = ()
        for step in path:
            if (*known, step) in self.lines:
                known = (*known, step)
        return Location(self.file, self.lines.get(known))


def read_document(file: Path) -> Document:
    """Read a YAML file of at most 1 MB in UTF-8.

    Raises `StimgenError` if the file is missing, too large, not UTF-8, or not acceptable YAML.
    """
    raw = read_limited(file, MAXIMUM_BYTES)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise StimgenError("not UTF-8 text", where=Location(file, line)) from None
    return parse_document(text, file)


def parse_document(text: str, file: Path) -> Document:
    """Parse YAML `text`; errors name `file`; raise `StimgenError` if the text is not acceptable YAML."""
    lines: dict[KeyPath, int] = {}
    try:
        data = _parse_nodes(text, file, lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        parts = [part for part in (error.context, error.problem) if part]
        # An unquoted pattern such as *.jpg is the beginning of an alias.
        is_alias = error.context == "while scanning an alias" or error.problem == ALIAS
        raise StimgenError(
            "not valid YAML: " + (ALIAS if is_alias else ", ".join(parts)),
            where=Location(file, line),
            hint='write a pattern in quotes, for example file: "*.jpg"' if is_alias else None,
        ) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        # PyYAML gives the character as a number if it read text, and as a letter if it read bytes.
        code = error.character if isinstance(error.character, int) else ord(error.character)
        message = f"not valid YAML: the character #x{code:04x} is not allowed"
        raise StimgenError(message, where=Location(file, line)) from None
    return Document(file, text, data, lines)


def _parse_nodes(text: str, file: Path, lines: dict[KeyPath, int]) -> Any:
    loader = _StrictLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise StimgenError("the file is empty", where=file)
        return _construct(loader, node, (), lines)
    except (ValueError, OverflowError):
        # PyYAML turns the number of an escape into a character without checking that it exists.
        message = "not valid YAML: an escape or a number without meaning"
        raise StimgenError(message, where=Location(file, loader.line + 1)) from None
    finally:
        loader.dispose()


class _StrictLoader(yaml.SafeLoader):
    """Loads YAML 1.2's core schema with PyYAML's safe loader; refuses aliases, tags and deep nesting."""

    yaml_implicit_resolvers: dict[str, Any] = {}
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call] # PyYAML's stubs leave it untyped
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _yaml_error(ALIAS, event)
        if getattr(event, "tag", None) is not None:
            raise _yaml_error(f"the tag {event.tag!r} is not accepted", event)
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH:
            raise _yaml_error(f"nested more than {MAXIMUM_DEPTH} deep", event)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _yaml_error(problem: str, place: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(None, None, problem, place.start_mark)


_NULL = re.compile(r"^(?:~|null|Null|NULL|)$")
_BOOL = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_INT = re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$")
_FLOAT = re.compile(
    r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
# The first match wins: every whole number also looks like a float.
for _tag, _pattern in (("null", _NULL), ("bool", _BOOL), ("int", _INT), ("float", _FLOAT)):
    _StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, None)


def _construct_int(_: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = node.value
    if len(text) > 100:
        raise _yaml_error(f"a whole number of {len(text)} digits", node)
    # YAML 1.2: a leading zero does not make a number octal.
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text, 10)


_StrictLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)

# Escapes such as "\x1b" or "\ud800" bring in characters that YAML refuses when they are not escaped. They
# could control a terminal, end a file name, or be impossible to encode.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def _construct(loader: _StrictLoader, node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _construct_mapping(loader, node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(loader, item, (*path, i), lines) for i, item in enumerate(node.value)]
    _refuse_control_characters(node)
    return loader.construct_object(node)


def _refuse_control_characters(node: yaml.Node) -> None:
    found = CONTROL_CHARACTERS.search(node.value)
    if found is not None:
        raise _yaml_error(f"the character #x{ord(found[0]):04x} is not allowed", node)


def _construct_mapping(
    loader: _StrictLoader, node: yaml.MappingNode, path: KeyPath, lines: dict[KeyPath, int]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _yaml_error("a key must be a single word", key_node)
        _refuse_control_characters(key_node)
        key = key_node.value
        if key in result:
            raise _yaml_error(f"the key {key!r} appears twice", key_node)
        lines[(*path, key)] = key_node.start_mark.line + 1
        result[key] = _construct(loader, value_node, (*path, key), lines)
    return result
