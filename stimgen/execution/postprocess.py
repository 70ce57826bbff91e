"""Turns what a method made into what is saved: applies steps, rounds, and measures losses and quality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stimgen.execution.proof.prover import ProveMetamers
from stimgen.execution.quality import BatchQuality, has_converged
from stimgen.images.measures.spectrum import measure_amplitude_kept
from stimgen.images.prepare import Pixels
from stimgen.images.source_pipeline import ModelInput
from stimgen.images.write import as_pixels, decode_png, quantise
from stimgen.protocol.plan import PlannedStimulus
from stimgen.protocol.postprocessing import PostprocessedPicture
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.metamer import MetamerRecord
from stimgen.stimulus_set.quality import QualityRecord, round_significant
from stimgen.stimulus_set.record import ClippedRecord, LossesRecord, LossRecord
from stimgen.synthesis.evaluation_network import LoadedEvaluationNetwork
from stimgen.synthesis.methods import Losses, SynthesisResult

NON_FINITE = "the loss was not finite, also after starting again from its best point"


@dataclass(frozen=True)
class ProcessedBatch:
    """Holds a batch after all steps and rounding, with one entry for each stimulus."""

    stimuli: Sequence[PlannedStimulus]
    sources: list[Pixels]
    result: SynthesisResult
    pictures: list[Pixels]
    files: list[bytes]
    clipped: list[ClippedRecord]
    losses: list[LossesRecord | None]
    quality: list[QualityRecord]
    problems: list[str | None]
    """Why a stimulus could not be made."""


def postprocess(
    result: SynthesisResult,
    stimuli: Sequence[PlannedStimulus],
    sources: Mapping[str, ModelInput],
    judge: LoadedEvaluationNetwork | None,
    prove: ProveMetamers | None = None,
) -> ProcessedBatch:
    """Return what is saved of a batch, given the sources by id and what measures its quality."""
    inputs = [sources[stimulus.source.id] for stimulus in stimuli]
    # A failed stimulus is not written; grey stands in for it, so that the others can be measured.
    images = [image if np.isfinite(image).all() else np.full_like(image, 0.5) for image in result.images]
    saved, problems = [], []
    for i, stimulus in enumerate(stimuli):
        picture, problem = _apply_steps(images[i], stimulus, inputs[i].pixels)
        saved.append(picture)
        problems.append(NON_FINITE if result.reasons[i] == "non_finite" else problem)
    files = [s.source.encode(picture.pixels) for s, picture in zip(stimuli, saved, strict=True)]
    decoded = [as_pixels(decode_png(file, Path("picture"))) for file in files]
    converged = [has_converged(trace, why) for trace, why in zip(result.traces, result.reasons, strict=True)]
    pairs = zip(inputs, saved, strict=True)
    clipped = [ClippedRecord(source=source.clipped, saved=picture.clipped) for source, picture in pairs]
    rounded = _round_sources(stimuli, inputs)
    quality = BatchQuality(rounded, stimuli[0].source.staging.encoding, judge)
    records = quality.records(decoded, [stimulus.source.id for stimulus in stimuli], converged)
    return ProcessedBatch(
        stimuli=stimuli,
        sources=[source.pixels for source in inputs],
        result=result,
        pictures=[picture.pixels for picture in saved],
        files=files,
        clipped=clipped,
        losses=_measure_losses(result, images, decoded, stimuli[0]),
        quality=_add_amplitudes(
            _add_proofs(records, prove(stimuli, decoded, rounded)) if prove else records,
            decoded,
            result if not stimuli[0].condition.after.steps else None,
        ),
        problems=problems,
    )


def _apply_steps(
    image: Pixels, stimulus: PlannedStimulus, source: Pixels
) -> tuple[PostprocessedPicture, str | None]:
    """Return what is saved of a picture; if a step is impossible, return the picture and the reason."""
    try:
        return stimulus.condition.after.finish(image, stimulus.source, source), None
    except StimgenError as error:
        return PostprocessedPicture(image, 0.0), error.message


def _measure_losses(
    result: SynthesisResult, images: list[Pixels], saved: list[Pixels], first: PlannedStimulus
) -> list[LossesRecord | None]:
    """Return the losses of every stimulus at four stages; None where nothing is minimised or that failed."""
    if result.start is None or result.measure is None:
        return [None] * len(images)
    end = result.measure(images)
    last: Sequence[Losses | None] = [None] * len(images)
    if all(picture.shape == image.shape for picture, image in zip(saved, images, strict=True)):
        last = result.measure(saved)
    before = last
    if first.condition.after.steps:
        before = result.measure([as_pixels(quantise(image, first.source.bits)) for image in images])
    keys = ("start", "end", "before_steps", "saved")
    return [
        None
        if reason == "non_finite"
        else LossesRecord(**{key: _loss_record(at) for key, at in zip(keys, stages, strict=True)})
        for *stages, reason in zip(result.start, end, before, last, result.reasons, strict=True)
    ]


def _round_sources(stimuli: Sequence[PlannedStimulus], inputs: Sequence[ModelInput]) -> dict[str, Pixels]:
    """Return the sources of stimuli, by id, rounded as their files are, behind the same apertures."""
    after, rounded = stimuli[0].condition.after, {}
    for source, found in {s.source.id: (s.source, i) for s, i in zip(stimuli, inputs, strict=True)}.values():
        rounded[source.id] = as_pixels(quantise(after.place_source(source, found.pixels), source.bits))
    return rounded


def _add_amplitudes(
    records: list[QualityRecord], saved: list[Pixels], result: SynthesisResult | None
) -> list[QualityRecord]:
    """Return the records with what saved pictures kept of the amplitudes that they should have."""
    if result is None or not result.amplitudes:
        return records
    kept = [
        None if wanted is None else round_significant(measure_amplitude_kept(picture, wanted))
        for picture, wanted in zip(saved, result.amplitudes, strict=True)
    ]
    return [record.replace(amplitude_kept=one) for record, one in zip(records, kept, strict=True)]


def _add_proofs(records: list[QualityRecord], proofs: Sequence[MetamerRecord | None]) -> list[QualityRecord]:
    return [record.replace(metamer=proof) for record, proof in zip(records, proofs, strict=True)]


def _loss_record(losses: Losses | None) -> LossRecord | None:
    return None if losses is None else LossRecord(total=losses.total, parts=losses.parts)
