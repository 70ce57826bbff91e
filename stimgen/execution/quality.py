"""Measures a stimulus' quality for its record: how it compares with its source, and whether it converged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from stimgen.images.light import Encoding
from stimgen.images.measures.comparison import SourceComparator
from stimgen.images.prepare import Pixels
from stimgen.stimulus_set.quality import (
    EvaluationRecord,
    QualityRecord,
    build_quality_record,
    round_significant,
)
from stimgen.synthesis.evaluation_network import EvaluationScores, LoadedEvaluationNetwork
from stimgen.synthesis.methods import TraceEntry

# If the logarithm of the loss fell evenly, a tenth of the evaluations would bring a tenth of the whole fall.
# Less than a quarter of that counts as converged, and so does a loss that fell to less than a millionth.
TENTHS, FLAT, NOTHING = 10, 0.25 / 10, 1e-6

Sources = Mapping[str, Pixels]
Judgements = list[EvaluationRecord | None]


def has_converged(trace: Sequence[TraceEntry], stopped: str) -> bool | None:
    """Return whether more evaluations would have changed little; None where nothing was minimised.

    This is the case if the picture stopped at a plateau or within a tolerance, or if the last tenth of the
    evaluations at the finest scale brought less than 2.5 % of the whole fall of the logarithm of the lowest
    loss. Fewer than ten evaluations cannot show it.
    """
    if not trace:
        return None
    if stopped in ("tolerance", "plateau"):
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
    """Measures the quality of the pictures of a batch.

    Parameters
    ----------
    sources : mapping
        The pictures' sources, as they are saved, by a key.
    encoding : {"srgb", "linear"}
        How numbers of sources and pictures stand for light.
    judge : LoadedEvaluationNetwork or None
        The network that compares pictures with their sources, if that is wanted.
    """

    def __init__(self, sources: Sources, encoding: Encoding, judge: LoadedEvaluationNetwork | None) -> None:
        self._sources, self._judge = sources, judge
        self._originals = {key: SourceComparator(source, encoding) for key, source in sources.items()}

    def records(
        self, pictures: Sequence[Pixels], keys: Sequence[str], converged: Sequence[bool | None]
    ) -> list[QualityRecord]:
        """Return what records say of saved pictures, given each one's source and whether it has converged."""
        judged = self._judge_pictures(pictures, keys)
        return [
            build_quality_record(self._originals[key].compare(picture), settled, judge)
            for picture, key, settled, judge in zip(pictures, keys, converged, judged, strict=True)
        ]

    def _judge_pictures(self, pictures: Sequence[Pixels], keys: Sequence[str]) -> Judgements:
        found: Judgements = [None] * len(pictures)
        if self._judge is not None:
            # A step can have cut a part out of a picture; that is not compared.
            whole = [i for i, key in enumerate(keys) if pictures[i].shape == self._sources[key].shape]
            chosen = [pictures[i] for i in whole], [keys[i] for i in whole]
            for i, scores in zip(whole, self._judge.score_pictures(*chosen, self._sources), strict=True):
                found[i] = _judge_record(scores, self._judge)
        return found


def _judge_record(scores: EvaluationScores, judge: LoadedEvaluationNetwork) -> EvaluationRecord:
    return EvaluationRecord(
        network=judge.settings.network.name,
        weights_sha256=judge.weights_sha256,
        layers=tuple(judge.settings.names),
        score=round_significant(scores.score),
        halves=round_significant(scores.halves),
    )
