"""Checking a set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimgen.stimulus_set.store import Store
from stimgen.stimulus_set.verification import Verification
from stimgen.stimulus_set.verify import verify_set

if TYPE_CHECKING:
    from stimgen.workflow.resynthesis_comparison import ResynthesisResult


def verify_folder(folder: Path) -> Verification:
    """Check every file of the set in `folder`.

    Raises
    ------
    StimgenError
        There is no set in the folder, or another run is writing it.
    """
    return verify_set(Store.open(folder))


def describe_verification(found: Verification, remade: Sequence[ResynthesisResult] | None) -> dict[str, Any]:
    """Return what ``stimgen verify --json`` prints.

    Parameters
    ----------
    found : Verification
        What was found.
    remade : sequence of ResynthesisResult or None
        Stimuli that were made again; None: that was not asked for.
    """
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
