"""Offers the functions for scripts and notebooks, which `import stimgen` makes available."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stimgen.execution.executor import GenerateOptions
from stimgen.execution.progress import ProgressCallback
from stimgen.protocol.load import LoadedProtocol, load_protocol
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set import StimulusSet
from stimgen.workflow.generate import default_folder, generate_set
from stimgen.workflow.plan import describe_plan
from stimgen.workflow.synthesize import SynthesizedImages, synthesize

__all__ = ["SynthesizedImages", "generate", "load", "plan", "synthesize"]


def load(name_or_file: str | Path) -> LoadedProtocol:
    """Read and check a protocol.

    Parameters
    ----------
    name_or_file : str or Path
        A YAML file, or the name of a shipped protocol.

    Raises
    ------
    StimgenError
        The protocol does not exist, or contains a mistake.
    """
    return load_protocol(name_or_file)


def plan(protocol: LoadedProtocol | str | Path) -> dict[str, Any]:
    """Return what a protocol will generate, without generating it.

    Parameters
    ----------
    protocol : LoadedProtocol or str or Path
        The result of `load`, or its argument.

    Returns
    -------
    dict
        What ``stimgen plan --json`` prints: conditions, stimuli and totals.

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
    """Make the missing stimuli of a set, and return the set.

    Parameters
    ----------
    protocol : LoadedProtocol or str or Path
        The result of `load`, or its argument.
    folder : str or Path, optional
        The set's folder; by default ``sets/NAME``.
    options : GenerateOptions, optional
        The device, the batch size, another folder for sources and so on.
    report : callable, optional
        Is called with a `RunProgress` after every evaluation.

    Raises
    ------
    StimgenError
        The protocol, an option or the folder cannot be used, or a stimulus could not be made. Finished
        stimuli are kept.
    """
    loaded = _ensure_loaded(protocol)
    place = Path(folder) if folder is not None else default_folder(loaded)
    progress = generate_set(loaded, place, options, report)
    if progress.failures:
        names = ", ".join(failure.stimulus.name for failure in progress.failures)
        raise StimgenError(f"could not be made: {names}: {progress.failures[0].reason}", where=place)
    return StimulusSet(place)


def _ensure_loaded(protocol: LoadedProtocol | str | Path) -> LoadedProtocol:
    return protocol if isinstance(protocol, LoadedProtocol) else load_protocol(protocol)
