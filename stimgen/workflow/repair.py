"""Repairs a set, and lists the commands that regenerate what cannot be repaired."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue

from stimgen.reading.errors import StimgenError
from stimgen.reading.shipped import PROTOCOLS
from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.additions import read_additions
from stimgen.stimulus_set.file_checker import Verification
from stimgen.stimulus_set.matched import is_matched
from stimgen.stimulus_set.repair import RepairResult, repair_store
from stimgen.stimulus_set.store import Store


def repair_set(folder: Path) -> tuple[RepairResult, list[str]]:
    """Repair the set in `folder`; return the result and the shell commands that regenerate the rest.

    Raises
    ------
    StimgenError
        The folder contains no set, another run is writing it, or it cannot be written.
    """
    store = Store.open(folder)
    found = repair_store(store)
    return found, list(_list_commands(store, found.left))


def _list_commands(store: Store, left: Verification) -> Iterator[str]:
    spoilt = sorted(set(left.spoilt))
    yield from (f"rm {_quote(str(store.folder / name))}" for name in spoilt)
    added = _find_additions(store)
    yield from (f"# {_quote(name)} came from: {added[name]}" for name in spoilt if name in added)
    if left.missing or set(spoilt).difference(added):
        yield format_generate_command(store)


def format_generate_command(store: Store) -> str:
    """Return the command that makes the missing stimuli of a set."""
    if is_matched(store):
        return f"stimgen match SET -o {_quote(str(store.folder))}  # SET: the set that was matched"
    return f"stimgen generate {_name_protocol(store)} -o {_quote(str(store.folder))}"


def _find_additions(store: Store) -> dict[str, str]:
    """Return the command that made each added file."""
    try:
        found = [addition for addition, _ in read_additions(store)]
    except StimgenError:
        return {}
    return {file.file: to_one_line(addition.command) for addition in found for file in addition.files}


def _name_protocol(store: Store) -> str:
    """Return the protocol as an argument: the name of a shipped one, or the file's name."""
    try:
        protocol = store.read_plan().protocol
    except StimgenError:
        return "PROTOCOL"
    shipped, quick = find_shipped_file(protocol), " --quick" if protocol.get("changes") else ""
    return (
        _quote(shipped.stem if shipped else str(protocol.get("file", "PROTOCOL")))
        + quick
        + _name_network(protocol)
    )


def _name_network(protocol: dict[str, JsonValue]) -> str:
    """Return the options that put another network or weights in the place of the protocol's."""
    made = protocol.get("substitution")
    named = made if isinstance(made, dict) else {}
    return "".join(f" --{key} {_quote(str(named[key]))}" for key in ("network", "weights") if key in named)


def _quote(text: str) -> str:
    return shlex.quote(to_one_line(text))


def find_shipped_file(protocol: dict[str, JsonValue]) -> Path | None:
    """Return the shipped file that equals a set's recorded protocol; None if it is the user's own."""
    file = PROTOCOLS.files().get(Path(str(protocol.get("file"))).stem)
    return file if file is not None and file.read_text(encoding="utf-8") == protocol.get("text") else None
