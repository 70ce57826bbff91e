"""What a script or a notebook calls: three lines from a protocol to a set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stimgen.execution.executor import GenerateOptions
from stimgen.execution.progress import ProgressCallback
from stimgen.protocol.load import LoadedProtocol, load_protocol
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set import StimulusSet
from stimgen.workflow.generate import default_folder
from stimgen.workflow.generate import generate_set as make
from stimgen.workflow.plan import describe_plan
from stimgen.workflow.synthesize import SynthesizedImages, synthesize

__all__ = ["SynthesizedImages", "generate", "load", "plan", "synthesize"]


def load(name_or_file: str | Path) -> LoadedProtocol:
    """Return a protocol.

    Parameters
    ----------
    name_or_file : str or Path
        A YAML file, or the name of a shipped protocol.

    Raises
    ------
    StimgenError
        There is no such protocol, or what it says cannot be accepted.
    """
    return load_protocol(name_or_file)


def plan(protocol: LoadedProtocol | str | Path) -> dict[str, Any]:
    """Return what a protocol stands for, before anything runs.

    Parameters
    ----------
    protocol : LoadedProtocol or str or Path
        From `load`, or what `load` takes.

    Returns
    -------
    dict
        As ``stimgen plan --json`` prints it: conditions, stimuli, totals.

    Raises
    ------
    StimgenError
        A source or a condition cannot be used.
    """
    return describe_plan(_ensure_loaded(protocol))


def generate(
    protocol: LoadedProtocol | str | Path,
    folder: str | Path | None = None,
    *,
    options: GenerateOptions | None = None,
    report: ProgressCallback | None = None,
) -> StimulusSet:
    """Make what is missing of a stimulus set, and return the set.

    Parameters
    ----------
    protocol : LoadedProtocol or str or Path
        From `load`, or what `load` takes.
    folder : str or Path, optional
        The set's folder; ``sets/NAME`` where it is left out.
    options : GenerateOptions, optional
        Device, batch size, another folder for sources.
    report : callable, optional
        Called with a `Progress` after every evaluation.

    Raises
    ------
    StimgenError
        Anything that the user can mend; some stimuli could not be made. What is finished is kept.
    """
    loaded = _ensure_loaded(protocol)
    place = Path(folder) if folder is not None else default_folder(loaded)
    progress = make(loaded, place, options, report)
    if progress.failures:
        names = ", ".join(failure.stimulus.name for failure in progress.failures)
        raise StimgenError(f"could not be made: {names}: {progress.failures[0].reason}", where=place)
    return StimulusSet(place)


def _ensure_loaded(protocol: LoadedProtocol | str | Path) -> LoadedProtocol:
    return protocol if isinstance(protocol, LoadedProtocol) else load_protocol(protocol)
