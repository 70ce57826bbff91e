"""Computes all tables of results that the data allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from stimgen.analysis.accuracy import compute_group_accuracy, compute_participant_accuracy
from stimgen.analysis.contrasts import compute_contrasts, compute_equivalence
from stimgen.analysis.difference_scaling import compute_difference_scale
from stimgen.analysis.dprimes import compute_dprime
from stimgen.analysis.exclusions import compute_exclusions
from stimgen.analysis.judgements import compute_ratings, compute_similarity
from stimgen.analysis.levels import compute_level_accuracy
from stimgen.analysis.metacognition import compute_confidence
from stimgen.analysis.mixed import compute_mixed_model
from stimgen.analysis.naming import compute_confusions, compute_recognisability
from stimgen.analysis.oddballs import compute_oddball_asymmetry
from stimgen.analysis.rankings import compute_source_ranking
from stimgen.analysis.response_times import compute_response_times
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.streams import compute_streams
from stimgen.analysis.thresholds import compute_thresholds, compute_tracks
from stimgen.analysis.trends import compute_trend
from stimgen.analysis.trial_table import TrialTable

if TYPE_CHECKING:
    import pandas as pd

Analysis = Callable[[TrialTable, AnalysisSettings], "pd.DataFrame | None"]


def compute_results(table: TrialTable, settings: AnalysisSettings) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield name and content of every table that the data allow, in the order of a report.

    An analysis that needs what the data do not have, such as response times, is left out.

    Raises
    ------
    StimgenError
        The answers are not those of the task.
    """
    for name, compute in ANALYSES.items():
        found = compute(table, settings)
        if found is not None:
            yield name, found


def _participants(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame:
    return compute_participant_accuracy(table, "participant", settings.confidence)


def _sources(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    if not (table.frame["source"] != "").any():
        return None
    return compute_participant_accuracy(table, "source", settings.confidence)


def _dprimes(table: TrialTable, settings: AnalysisSettings) -> pd.DataFrame | None:
    if table.model is None:
        return None
    keys = ["group", "participant", *(name for name in table.factors if name != "participant")]
    return compute_dprime(table, keys, settings)


ANALYSES: dict[str, Analysis] = {
    "exclusions": compute_exclusions,
    "accuracy": compute_group_accuracy,
    "accuracy_by_participant": _participants,
    "accuracy_by_source": _sources,
    "source_ranking": compute_source_ranking,
    "dprime": _dprimes,
    "contrasts": compute_contrasts,
    "equivalence": compute_equivalence,
    "mixed_model": compute_mixed_model,
    "thresholds": compute_thresholds,
    "accuracy_by_level": compute_level_accuracy,
    "tracks": compute_tracks,
    "response_times": compute_response_times,
    "trend": compute_trend,
    "oddball_asymmetry": compute_oddball_asymmetry,
    "recognisability": compute_recognisability,
    "confusions": compute_confusions,
    "confidence": compute_confidence,
    "difference_scale": compute_difference_scale,
    "streams": compute_streams,
    "ratings": compute_ratings,
    "similarity": compute_similarity,
}
"""Every analysis by the name of its table."""
