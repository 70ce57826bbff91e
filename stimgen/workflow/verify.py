"""Describes the result of verifying a set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from stimgen.stimulus_set.verification import Verification

if TYPE_CHECKING:
    from stimgen.workflow.resynthesis_comparison import ResynthesisResult


def describe_verification(found: Verification, remade: Sequence[ResynthesisResult] | None) -> dict[str, Any]:
    """Return what ``stimgen verify --json`` prints; `remade` is None where no stimulus was made again."""
    summary = {
        "sound": found.sound,
        "planned": found.planned,
        "checked": found.checked,
        "problems": found.problems,
    }
    if remade is None:
        return summary
    again = [asdict(one) | {"compared": one.compared} for one in remade]
    sound = found.sound and not any(one.problem for one in remade)
    return summary | {"sound": sound, "resynthesized": again}
