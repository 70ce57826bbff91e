"""What records say of a stimulus' quality: beside its source, and of its optimisation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from stimgen.images.light import Encoding
from stimgen.images.measures.comparison import SourceComparator, SourceComparison
from stimgen.images.measures.rounding import round_significant
from stimgen.images.prepare import Pixels
from stimgen.stimulus_set.quality import ColourDistances, EvaluationRecord, QualityRecord
from stimgen.synthesis.evaluation_network import EvaluationScores, LoadedEvaluationNetwork
from stimgen.synthesis.methods import TraceEntry

# Were the logarithm of the loss to fall evenly, a tenth of the evaluations would bring a tenth of its fall.
# What brings less than a quarter of that has come to its end; so has what fell to less than a millionth.
TENTHS, FLAT, NOTHING = 10, 0.25 / 10, 1e-6


def has_converged(trace: Sequence[TraceEntry], stopped: str) -> bool | None:
    """Return whether going on would have changed little; None where nothing was minimised.

    That is so where the optimiser stopped because it was within its tolerance, or where of the whole fall of
    the logarithm of the lowest loss, over the evaluations of the finest scale, the last tenth of them brought
    less than 2.5 %. With fewer than ten evaluations nothing shows it.
    """
    if not trace:
        return None
    if stopped == "tolerance":
        return True
    losses = np.array([entry.losses.total for entry in trace if entry.scale == trace[-1].scale])
    tenth = len(losses) // TENTHS
    if tenth == 0 or not np.isfinite(losses).all():
        return False
    first, before, last = losses[0], losses[:-tenth].min(), losses.min()
    if last <= NOTHING * first:
        return True
    return bool(last < first and math.log(before / last) < FLAT * math.log(first / last))


class BatchQuality:
    """Quality of the pictures of a batch.

    Parameters
    ----------
    sources : mapping
        Their sources, as they are saved, by a key.
    encoding : {"srgb", "linear"}
        How the numbers of sources and pictures mean light.
    judge : LoadedEvaluationNetwork or None
        The judge, if there is one.
    """

    def __init__(
        self, sources: Mapping[str, Pixels], encoding: Encoding, judge: LoadedEvaluationNetwork | None
    ) -> None:
        self._sources, self._judge = sources, judge
        self._originals = {key: SourceComparator(source, encoding) for key, source in sources.items()}

    def records(
        self, pictures: Sequence[Pixels], keys: Sequence[str], settled: Sequence[bool | None]
    ) -> list[QualityRecord]:
        """Return what records say.

        Parameters
        ----------
        pictures : sequence of Pixels
            As they are saved.
        keys : sequence of str
            The source of each.
        settled : sequence of bool or None
            Whether each converged.
        """
        judged = self._judge_pictures(pictures, keys)
        return [
            _quality_record(self._originals[key].compare(picture), ending, judge)
            for picture, key, ending, judge in zip(pictures, keys, settled, judged, strict=True)
        ]

    def _judge_pictures(
        self, pictures: Sequence[Pixels], keys: Sequence[str]
    ) -> Sequence[EvaluationRecord | None]:
        found: list[EvaluationRecord | None] = [None] * len(pictures)
        if self._judge is not None:
            # Steps can have cut a part out of a picture.
            whole = [i for i, key in enumerate(keys) if pictures[i].shape == self._sources[key].shape]
            chosen = [pictures[i] for i in whole], [keys[i] for i in whole]
            for i, opinion in zip(whole, self._judge.score_pictures(*chosen, self._sources), strict=True):
                found[i] = _judge_record(opinion, self._judge)
        return found


def _quality_record(
    found: SourceComparison, settled: bool | None, judge: EvaluationRecord | None
) -> QualityRecord:
    return QualityRecord(
        largest_copy=round_significant(found.largest_copy),
        colour_distance=found.colour and _colour_distances(found.colour),
        luminance_distance=round_significant(found.luminance),
        spectrum_distance=round_significant(found.spectrum),
        converged=settled,
        judge=judge,
    )


def _colour_distances(found: tuple[float, float, float]) -> ColourDistances:
    red, green, blue = map(round_significant, found)
    return ColourDistances(red=red, green=green, blue=blue)


def _judge_record(opinion: EvaluationScores, judge: LoadedEvaluationNetwork) -> EvaluationRecord:
    return EvaluationRecord(
        network=judge.settings.network.name,
        weights_sha256=judge.weights_sha256,
        layers=tuple(judge.settings.names),
        score=round_significant(opinion.score),
        halves=round_significant(opinion.halves),
    )
