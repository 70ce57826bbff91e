"""From what a method made to what is saved: steps, rounding and every loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stimgen.execution.quality import BatchQuality, has_converged
from stimgen.images.prepare import Pixels
from stimgen.images.source_pipeline import ModelInput
from stimgen.images.write import as_pixels, decode_png, quantise
from stimgen.protocol.plan import PlannedStimulus
from stimgen.protocol.postprocessing import PostprocessedPicture
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.quality import QualityRecord
from stimgen.stimulus_set.record import ClippedRecord, LossesRecord, LossRecord
from stimgen.synthesis.evaluation_network import LoadedEvaluationNetwork
from stimgen.synthesis.methods import Losses, SynthesisResult

NON_FINITE = "the loss was not finite, also after starting again from its best point"


@dataclass(frozen=True)
class ProcessedBatch:
    """A batch after all steps and rounding, with every loss; one entry a stimulus.

    Attributes
    ----------
    problems : list of str or None
        Why a stimulus could not be made.
    """

    stimuli: Sequence[PlannedStimulus]
    sources: list[Pixels]
    result: SynthesisResult
    pictures: list[Pixels]
    files: list[bytes]
    clipped: list[ClippedRecord]
    losses: list[LossesRecord | None]
    quality: list[QualityRecord]
    problems: list[str | None]


def postprocess(
    result: SynthesisResult,
    stimuli: Sequence[PlannedStimulus],
    sources: Mapping[str, ModelInput],
    judge: LoadedEvaluationNetwork | None,
) -> ProcessedBatch:
    """Return what is saved of a batch.

    Parameters
    ----------
    result : SynthesisResult
        What the method made.
    stimuli : sequence of PlannedStimulus
        Of what.
    sources : mapping
        Their sources as the method measured them, by id.
    judge : LoadedEvaluationNetwork or None
        Who compares stimuli with sources.
    """
    staged = [sources[stimulus.source.id] for stimulus in stimuli]
    # A failed stimulus is not written; grey stands in for it, so that the others can be measured.
    images = [image if np.isfinite(image).all() else np.full_like(image, 0.5) for image in result.images]
    saved, problems = [], []
    for i, stimulus in enumerate(stimuli):
        picture, problem = _apply_steps(images[i], stimulus, staged[i].pixels)
        saved.append(picture)
        problems.append(NON_FINITE if result.reasons[i] == "non_finite" else problem)
    encoding = stimuli[0].source.staging.encoding
    files = [s.source.encode(picture.pixels) for s, picture in zip(stimuli, saved, strict=True)]
    return ProcessedBatch(
        stimuli=stimuli,
        sources=[source.pixels for source in staged],
        result=result,
        pictures=[picture.pixels for picture in saved],
        files=files,
        clipped=[
            ClippedRecord(source=source.clipped, saved=picture.clipped)
            for source, picture in zip(staged, saved, strict=True)
        ],
        losses=_measure_losses(result, images, files, stimuli[0]),
        quality=_measure_quality(
            result, files, stimuli, BatchQuality(_round_sources(stimuli, staged), encoding, judge)
        ),
        problems=problems,
    )


def _apply_steps(
    image: Pixels, stimulus: PlannedStimulus, source: Pixels
) -> tuple[PostprocessedPicture, str | None]:
    """Return what is saved of a picture; where a step is impossible, a stand-in, and why."""
    try:
        return stimulus.condition.after.finish(image, stimulus.source, source), None
    except StimgenError as error:
        return PostprocessedPicture(image, 0.0), error.message


def _measure_losses(
    result: SynthesisResult, images: list[Pixels], files: list[bytes], first: PlannedStimulus
) -> list[LossesRecord | None]:
    """Return every loss of every stimulus; None where no objective is minimised, or where that failed."""
    if result.start is None or result.measure is None:
        return [None] * len(images)
    end = result.measure(images)
    saved: Sequence[Losses | None] = [None] * len(images)
    pictures = [as_pixels(decode_png(file, Path("picture"))) for file in files]
    if all(picture.shape == image.shape for picture, image in zip(pictures, images, strict=True)):
        saved = result.measure(pictures)
    before = saved
    if first.condition.after.steps:
        before = result.measure([as_pixels(quantise(image, first.source.bits)) for image in images])
    stages = zip(result.start, end, before, saved, strict=True)
    keys = ("start", "end", "before_steps", "saved")
    return [
        None
        if reason == "non_finite"
        else LossesRecord.model_validate({key: _loss_record(at) for key, at in zip(keys, four, strict=True)})
        for four, reason in zip(stages, result.reasons, strict=True)
    ]


def _round_sources(stimuli: Sequence[PlannedStimulus], staged: Sequence[ModelInput]) -> dict[str, Pixels]:
    """Return the sources of stimuli, by id, rounded as their files are, behind the same apertures."""
    after = stimuli[0].condition.after
    different = {
        stimulus.source.id: (stimulus.source, found) for stimulus, found in zip(stimuli, staged, strict=True)
    }
    return {
        key: as_pixels(quantise(after.place_source(source, found.pixels), source.bits))
        for key, (source, found) in different.items()
    }


def _measure_quality(
    result: SynthesisResult,
    files: Sequence[bytes],
    stimuli: Sequence[PlannedStimulus],
    inspection: BatchQuality,
) -> list[QualityRecord]:
    pictures = [as_pixels(decode_png(file, Path("picture"))) for file in files]
    settled = [has_converged(trace, why) for trace, why in zip(result.traces, result.reasons, strict=True)]
    return inspection.records(pictures, [stimulus.source.id for stimulus in stimuli], settled)


def _loss_record(losses: Losses | None) -> LossRecord | None:
    return None if losses is None else LossRecord(total=losses.total, parts=losses.parts)
