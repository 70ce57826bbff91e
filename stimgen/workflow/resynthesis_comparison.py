"""Compares a stimulus that was made again with the one in the set: the same bytes, or within tolerances."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stimgen.images.light import Encoding
from stimgen.images.measures.comparison import SourceComparator
from stimgen.images.prepare import Pixels
from stimgen.images.write import as_pixels, decode_png
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.record import LossesRecord, Provenance, Record, RecordContent
from stimgen.stimulus_set.store import Store, record_file

# Measured by making sets with other instructions of one processor (docs/reproducibility.md).
LARGEST_RATIO = 2.0  # of the losses of saved pictures, either way
LARGEST_LUMINANCE = 0.01  # distance of the histograms of luminance
LARGEST_SPECTRUM = 0.05  # distance of the amplitude spectra, in decades
LEAST_PSNR_COMPUTED, LEAST_PSNR_MINIMISED = 40.0, 20.0  # decibels
# Versions in `made.versions` that do not affect pixels; stimgen's own numerics are part of an id.
WITHOUT_EFFECT = ("python", "stimgen")


@dataclass(frozen=True)
class PictureDifference:
    """Measures how far apart two pictures are that should be the same.

    Attributes
    ----------
    psnr : float or None
        The peak signal-to-noise ratio in decibels; None if all pixels are equal.
    luminance, spectrum : float
        The distances of histograms of luminance, and of amplitude spectra in decades (docs/quality.md).
    loss_ratio : float or None
        The new picture's loss divided by the old one's; None if nothing was minimised.
    """

    psnr: float | None
    luminance: float
    spectrum: float
    loss_ratio: float | None

    def find_problems(self) -> Iterator[str]:
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
class ResynthesisResult:
    """Tells how a stimulus that was made again compares with the set.

    Attributes
    ----------
    id, file : str
        The stimulus and its picture.
    identical : bool
        Whether pixels, trace and array are the same.
    expected : bool
        Whether they must be the same: made on this kind of machine, with these versions.
    difference : PictureDifference or None
        The difference between the picture in the set and the new one; None if they are identical.
    problem : str or None
        What is wrong.
    """

    id: str
    file: str
    identical: bool = False
    expected: bool = False
    difference: PictureDifference | None = None
    problem: str | None = None

    @property
    def compared(self) -> str:
        """Return what was checked: ``bytes`` or ``tolerance``."""
        return "bytes" if self.identical or self.expected else "tolerance"


def compare_stimulus(record: Record, store: Store, made: Store) -> ResynthesisResult:
    """Compare a recorded stimulus of a set with the same stimulus in the store that was `made` again."""
    old = record.content
    if not made.has(record_file(old.id)):
        return ResynthesisResult(old.id, old.file, problem="could not be made again")
    again = made.read_record(old.id)
    expected = is_same_kind(record.made, again.made)
    if _collect_hashes(again.content) == _collect_hashes(old):
        return ResynthesisResult(old.id, old.file, identical=True, expected=expected)
    try:
        one, other = _read_picture(store, old), _read_picture(made, again.content)
    except StimgenError as error:
        return ResynthesisResult(old.id, old.file, problem=error.message)
    if one.shape != other.shape:
        return ResynthesisResult(old.id, old.file, expected=expected, problem="its picture has another size")
    difference = _compare_pictures(one, other, old, again.content)
    problems = ["other bytes, on the same kind of machine"] if expected else list(difference.find_problems())
    return ResynthesisResult(old.id, old.file, False, expected, difference, "; ".join(problems) or None)


def _read_picture(store: Store, content: RecordContent) -> Pixels:
    return as_pixels(decode_png(store.read(content.file), store.path(content.file)))


def _collect_hashes(content: RecordContent) -> tuple[str, ...]:
    """Return the hashes that equal stimuli share: not those of PNG files, whose compression may differ."""
    files = (content.trace, content.array)
    return content.pixels_sha256, *(file.sha256 for file in files if file is not None)


def _compare_pictures(
    one: Pixels, other: Pixels, old: RecordContent, new: RecordContent
) -> PictureDifference:
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    encoding: Encoding = "linear" if old.encoding == "linear" else "srgb"
    distance = SourceComparator(one, encoding).compare(other)
    return PictureDifference(
        psnr=-10.0 * math.log10(error) if error > 0 else None,
        luminance=distance.luminance,
        spectrum=distance.spectrum,
        loss_ratio=_loss_ratio(old.losses, new.losses),
    )


def is_same_kind(old: Provenance, new: Provenance) -> bool:
    """Return whether two machines must give the same bits."""
    versions = [{k: v for k, v in made.versions.items() if k not in WITHOUT_EFFECT} for made in (old, new)]
    machines = [_describe_machine(made) for made in (old, new)]
    alike = versions[0] == versions[1] and machines[0] == machines[1]
    # Of Apple's GPUs no bits are promised, and their models are not known.
    return alike and old.processor is not None and old.device != "mps"


def _describe_machine(made: Provenance) -> tuple[str, str | None]:
    """Return what bits depend on besides versions: a processor, or a GPU's model and the number of slots."""
    kind, _, model = made.device.partition(":")
    if kind == "cpu":
        return kind, made.processor
    # Which of the GPUs of one model it was does not matter.
    return kind + model.lstrip("0123456789"), str(made.slots)


def _loss_ratio(old: LossesRecord | None, new: LossesRecord | None) -> float | None:
    if old is None or new is None or old.saved is None or new.saved is None or old.saved.total <= 0:
        return None
    return new.saved.total / old.saved.total
