"""Making stimuli of a set again, here, and comparing them with what the set holds."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stimgen.execution.batch import Work, form_batches, make_batch, write_originals
from stimgen.execution.device import find_device, usual_batch_size
from stimgen.execution.recording import Destination
from stimgen.images.light import Encoding
from stimgen.images.measures.comparison import Original
from stimgen.images.prepare import Pixels
from stimgen.images.write import as_pixels, decode_png
from stimgen.protocol.load import LoadedProtocol, loaded_from
from stimgen.protocol.plan import Plan, StimulusPlan, make_plan
from stimgen.protocol.quick import quickened
from stimgen.reading.document import parse_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.generators import finished
from stimgen.stimulus_set.record import Content, LossesRecord, Made, Record
from stimgen.stimulus_set.store import PLAN, Store, json_bytes, record_name
from stimgen.workflow.repair import shipped_file

# Found by making sets with other instructions of one processor: docs/reproducibility.md tells what and how.
LARGEST_RATIO = 2.0  # of the losses of saved pictures, either way
LARGEST_LUMINANCE = 0.01  # distance of the histograms of luminance
LARGEST_SPECTRUM = 0.05  # distance of the amplitude spectra, in decades
LEAST_PSNR_COMPUTED, LEAST_PSNR_MINIMISED = 40.0, 25.0  # decibels
# What of `made.versions` has a part in pixels; of stimgen itself an id tells, by its `NUMERICS`.
WITHOUT_PART = ("python", "stimgen")


@dataclass(frozen=True)
class Difference:
    """How far apart two pictures are that should be the same.

    Attributes
    ----------
    psnr : float or None
        Peak signal-to-noise ratio in decibels; None where all pixels are equal.
    luminance, spectrum : float
        Distances of histograms of luminance, and of amplitude spectra in decades; see docs/quality.md.
    loss_ratio : float or None
        The new picture's loss over the old one's; None where nothing was minimised.
    """

    psnr: float | None
    luminance: float
    spectrum: float
    loss_ratio: float | None

    def problems(self) -> Iterator[str]:
        """Yield what is beyond the tolerances."""
        least = LEAST_PSNR_COMPUTED if self.loss_ratio is None else LEAST_PSNR_MINIMISED
        if self.psnr is not None and self.psnr < least:
            yield f"its PSNR is {self.psnr:.1f} dB, below {least:g}"
        if self.luminance > LARGEST_LUMINANCE:
            yield f"its luminance is {self.luminance:.4f} away, more than {LARGEST_LUMINANCE:g}"
        if self.spectrum > LARGEST_SPECTRUM:
            yield f"its spectrum is {self.spectrum:.3f} decades away, more than {LARGEST_SPECTRUM:g}"
        ratio = self.loss_ratio
        if ratio is not None and not 1 / LARGEST_RATIO <= ratio <= LARGEST_RATIO:
            yield f"its loss is {ratio:.3g} times that in the set"


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
    difference : Difference or None
        Between the picture in the set and the new one; None where they are identical.
    problem : str or None
        What is wrong.
    """

    id: str
    file: str
    identical: bool = False
    expected: bool = False
    difference: Difference | None = None
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
    expected = _same_kind(record.made, again.made)
    if _fingerprint(again.content) == _fingerprint(old):
        return Remade(old.id, old.file, identical=True, expected=expected)
    try:
        one, other = _picture(store, old), _picture(made, again.content)
    except StimgenError as error:
        return Remade(old.id, old.file, problem=error.message)
    if one.shape != other.shape:
        return Remade(old.id, old.file, expected=expected, problem="its picture has another size")
    difference = _difference(one, other, old, again.content)
    problems = ["other bytes, on the same kind of machine"] if expected else list(difference.problems())
    return Remade(old.id, old.file, False, expected, difference, "; ".join(problems) or None)


def _picture(store: Store, content: Content) -> Pixels:
    return as_pixels(decode_png(store.read(content.file), store.path(content.file)))


def _fingerprint(content: Content) -> tuple[str, ...]:
    """Return hashes that equal stimuli share; not those of PNG files, whose compression may differ."""
    files = (content.trace, content.array)
    return content.pixels_sha256, *(file.sha256 for file in files if file is not None)


def _difference(one: Pixels, other: Pixels, old: Content, new: Content) -> Difference:
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    encoding: Encoding = "linear" if old.encoding == "linear" else "srgb"
    distance = Original(one, encoding).compare(other)
    return Difference(
        psnr=-10.0 * math.log10(error) if error > 0 else None,
        luminance=distance.luminance,
        spectrum=distance.spectrum,
        loss_ratio=_ratio(old.losses, new.losses),
    )


def _same_kind(old: Made, new: Made) -> bool:
    """Return whether the same bits are promised."""
    versions = [{k: v for k, v in made.versions.items() if k not in WITHOUT_PART} for made in (old, new)]
    machines = [(made.device, made.processor) for made in (old, new)]
    if old.device != "cpu":
        machines = [(made.device, str(made.slots)) for made in (old, new)]
    return versions[0] == versions[1] and machines[0] == machines[1] and old.processor is not None


def _ratio(old: LossesRecord | None, new: LossesRecord | None) -> float | None:
    if old is None or new is None or old.saved is None or new.saved is None or old.saved.total <= 0:
        return None
    return new.saved.total / old.saved.total
