"""Matches luminance and amplitude spectra across pictures, as SHINE does (Willenbockel et al. 2010)."""

from __future__ import annotations

from stimgen.images.matching.match import MatchedPicture, PictureMatcher
from stimgen.images.matching.settings import SetMatching
from stimgen.images.matching.target import MatchingTarget, measure_target

PAPERS = ("avanaki2009", "coltuc2006", "willenbockel2010")

__all__ = ["PAPERS", "MatchedPicture", "MatchingTarget", "PictureMatcher", "SetMatching", "measure_target"]
