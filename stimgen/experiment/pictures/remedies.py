"""Tells how far a synthesis was from converging, and what mends a set that an experiment cannot show."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from stimgen.reading.errors import StimgenError
from stimgen.reading.shipped import PROTOCOLS
from stimgen.stimulus_set.matched import is_matched
from stimgen.stimulus_set.record import RecordContent
from stimgen.stimulus_set.store import Store

# As generation decides it (docs/quality.md): less than 2.5 % of the fall in the last tenth.
TENTHS, FLAT_PER_CENT = 10, 2.5


def measure_last_fall(store: Store, content: RecordContent) -> float | None:
    """Return which per cent of the fall of the loss the last tenth of the evaluations brought.

    The fall is that of the logarithm of the lowest loss at the finest scale (docs/quality.md). None if the
    trace cannot be read, has fewer than ten evaluations, or does not fall.
    """
    try:
        losses = _read_losses(store.read(content.trace.file))
    except (StimgenError, ValueError, KeyError, TypeError):
        return None
    tenth = len(losses) // TENTHS
    if tenth == 0 or not all(0 < loss < math.inf for loss in losses) or min(losses) >= losses[0]:
        return None
    return 100 * math.log(min(losses[:-tenth]) / min(losses)) / math.log(losses[0] / min(losses))


def _read_losses(trace: bytes) -> list[float]:
    """Return the total losses at the finest scale of a trace."""
    rows = list(csv.DictReader(io.StringIO(trace.decode("ascii"))))
    return [float(row["total"]) for row in rows if row["scale"] == rows[-1]["scale"]]


def suggest_evaluations(store: Store, content: RecordContent) -> str:
    """Return what to change in the protocol of a set, and the command that makes its stimuli again."""
    if content.changes:
        return _suggest_whole_set(store)
    key = "budget" if content.settings.get("method") == "portilla_simoncelli" else "evaluations"
    evaluations = content.schedule[-1][2]
    return _suggest_change(store, f"raise {key} in {{}} from {evaluations} to {2 * evaluations} or more")


def suggest_seeds(store: Store, content: RecordContent, needed: int) -> str:
    """Return how to make stimuli of `needed` seeds, with the command."""
    if content.changes:
        return _suggest_whole_set(store)
    return _suggest_change(store, f"write at least {needed} seeds in {{}}")


def _suggest_whole_set(store: Store) -> str:
    protocol, shipped = _find_protocol(store)
    name = protocol if shipped is None else Path(protocol).stem
    command = _format_commands(store, name, f"{store.folder}-whole")
    return f"{store.folder} was made with --quick; the whole set: {command}"


def _suggest_change(store: Store, change: str) -> str:
    """Return a change, in which braces stand for the protocol's file, and the command that follows it."""
    protocol, shipped = _find_protocol(store)
    copy = "" if shipped is None else f"copy {shipped} to {protocol}; "
    return (
        f"{copy}{change.format(protocol)}, then run: {_format_commands(store, protocol, str(store.folder))}"
    )


def _format_commands(store: Store, protocol: str, folder: str) -> str:
    """Return what makes a set anew; one that was matched after synthesis is matched anew, too."""
    if is_matched(store):
        return f"stimgen generate {protocol} -o SET, and stimgen match SET -o NEW"
    return f"stimgen generate {protocol} -o {folder}"


def _find_protocol(store: Store) -> tuple[str, Path | None]:
    """Return the name of a set's protocol, and the shipped file of that name if there is no other."""
    protocol = str(store.read_plan().protocol.get("file") or "PROTOCOL.yaml")
    return protocol, None if Path(protocol).exists() else PROTOCOLS.files().get(Path(protocol).stem)
