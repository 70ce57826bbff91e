"""Making stimuli of a set again, here, and comparing them with what the set holds."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stimgen.execution.batch import Work, form_batches, make_batch, write_originals
from stimgen.execution.device import find_device, usual_batch_size
from stimgen.execution.recording import Destination
from stimgen.images.write import Levels, as_pixels, decode_png
from stimgen.protocol.load import LoadedProtocol, loaded_from
from stimgen.protocol.plan import Plan, StimulusPlan, make_plan
from stimgen.protocol.quick import quickened
from stimgen.reading.document import parse_document
from stimgen.reading.generators import finished
from stimgen.stimulus_set.record import LossesRecord, Made, Record
from stimgen.stimulus_set.store import PLAN, Store, json_bytes, record_name
from stimgen.workflow.repair import shipped_file

# Found by making sets with other instructions of one processor: docs/reproducibility.md says how.
LEAST_PSNR = 40.0  # decibels, of stimuli that were computed and not searched for
LARGEST_RATIO = 2.0  # of the losses of saved pictures, either way
# What of `made.versions` has a part in pixels; of stimgen itself an id tells, by its `NUMERICS`.
WITHOUT_PART = ("python", "stimgen")


@dataclass(frozen=True)
class Remade:
    """A stimulus that was made again.

    Attributes
    ----------
    id, file : str
        Which, and its picture.
    identical : bool
        Whether pixels, trace and array are the same.
    expected : bool
        Whether they must be: made on this kind of machine, with these versions.
    psnr : float or None
        Of the new picture beside the old one, in decibels; None where it is the same, or of another size.
    ratio : float or None
        The new picture's loss over the old one's; None where nothing was minimised.
    problem : str or None
        What is wrong.
    """

    id: str
    file: str
    identical: bool = False
    expected: bool = False
    psnr: float | None = None
    ratio: float | None = None
    problem: str | None = None

    @property
    def compared(self) -> str:
        """What was checked: ``bytes`` or ``tolerance``."""
        return "bytes" if self.identical or self.expected else "tolerance"


def resynthesize(folder: Path, count: int, device: str, root: Path | None = None) -> list[Remade]:
    """Make some stimuli of a set again, in a folder of their own, and compare them.

    Parameters
    ----------
    folder : Path
        The set's folder; nothing is written into it.
    count : int
        How many, at the most: chosen evenly from those that are finished, in the plan's order.
    device : str
        Where to compute.
    root : Path, optional
        Where the photographs lie, if they are not where this program runs.

    Raises
    ------
    StimgenError
        The protocol in the set, its photographs or its weights cannot be used.
    """
    store = Store.open(folder)
    records = _chosen(store, count)
    plan = make_plan(recorded_protocol(store, root), root)
    planned = {stimulus.id: stimulus for stimulus in plan.stimuli}
    there = [planned[key] for key in records if key in planned]
    with tempfile.TemporaryDirectory(prefix="stimgen-") as place:
        made = Store(Path(place))
        _make(plan, there, made, device)
        return [_compared(record, store, made, known=key in planned) for key, record in records.items()]


def recorded_protocol(store: Store, root: Path | None = None) -> LoadedProtocol:
    """Return the protocol that a set was made with, as the set tells it.

    Parameters
    ----------
    store : Store
        The set.
    root : Path, optional
        Where its paths start from; else from where the shipped protocol lies, or this program runs.

    Raises
    ------
    StimgenError
        It cannot be understood any more.
    """
    protocol = store.read_plan().protocol
    file = shipped_file(protocol) or (root or Path()) / Path(str(protocol.get("file"))).name
    loaded = loaded_from(parse_document(str(protocol.get("text")), file))
    return quickened(loaded, root) if protocol.get("changes") else loaded


def _chosen(store: Store, count: int) -> dict[str, Record]:
    finished_ids = store.finished()
    ids = [stimulus for stimulus in store.read_plan().ids if stimulus in finished_ids]
    count = min(count, len(ids))
    # The middles of so many equal parts.
    chosen = [ids[(2 * i + 1) * len(ids) // (2 * count)] for i in range(count)]
    return {key: store.read_record(key) for key in chosen}


def _make(plan: Plan, stimuli: Sequence[StimulusPlan], made: Store, device_name: str) -> None:
    device = find_device(device_name)
    protocol = plan.loaded.protocol
    made.write(PLAN, json_bytes({"format": 1, "protocol": {}, "ids": [s.id for s in stimuli]}))
    write_originals(plan, made)
    work = Work(Destination(made, protocol.output), device, usual_batch_size(device))
    for batch in form_batches(stimuli, work.batch_size):
        finished(make_batch(batch, work))


def _compared(record: Record, store: Store, made: Store, *, known: bool) -> Remade:
    old = record.content
    if not known:
        return Remade(old.id, old.file, problem="protocol and photographs here give another stimulus")
    if not made.has(record_name(old.id)):
        return Remade(old.id, old.file, problem="could not be made again")
    again = made.read_record(old.id)
    pictures = [(store, old.file), (made, again.content.file)]
    new, expected = again.content, _same_kind(record.made, again.made)
    if (new.pixels_sha256, new.trace.sha256) == (old.pixels_sha256, old.trace.sha256) and (
        old.array is None or new.array is None or new.array.sha256 == old.array.sha256
    ):
        return Remade(old.id, old.file, identical=True, expected=expected)
    psnr = _psnr(*(decode_png(place.read(name), place.path(name)) for place, name in pictures))
    ratio = _ratio(old.losses, new.losses)
    found = Remade(old.id, old.file, expected=expected, psnr=psnr, ratio=ratio)
    return replace(found, problem=next(_problems(found, minimised=old.losses is not None), None))


def _same_kind(old: Made, new: Made) -> bool:
    """Return whether the same bits are promised."""
    versions = [{k: v for k, v in made.versions.items() if k not in WITHOUT_PART} for made in (old, new)]
    machines = [(made.device, made.processor) for made in (old, new)]
    if old.device != "cpu":
        machines = [(made.device, str(made.slots)) for made in (old, new)]
    return versions[0] == versions[1] and machines[0] == machines[1] and old.processor is not None


def _psnr(one: Levels, other: Levels) -> float | None:
    if one.shape != other.shape:
        return None
    error = float(np.mean((as_pixels(one).astype(np.float64) - as_pixels(other)) ** 2))
    return -10.0 * math.log10(error) if error > 0 else None


def _ratio(old: LossesRecord | None, new: LossesRecord | None) -> float | None:
    if old is None or new is None or old.saved is None or new.saved is None or old.saved.total <= 0:
        return None
    return new.saved.total / old.saved.total


def _problems(found: Remade, *, minimised: bool) -> Iterator[str]:
    if found.expected:
        yield "other bytes than in the set, on the same kind of machine with the same versions"
    elif minimised and found.ratio is not None and not 1 / LARGEST_RATIO <= found.ratio <= LARGEST_RATIO:
        yield f"its loss is {found.ratio:.3g} times that in the set"
    elif not minimised and (found.psnr is None or found.psnr < LEAST_PSNR):
        yield "its picture is another one"
