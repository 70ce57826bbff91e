"""Defines the commands that tell what a study will find, before anyone is tested."""

from __future__ import annotations

from pathlib import Path

import typer

from stimgen.cli.options import EXPERIMENT, JSON, QUIET, STIMULI, option
from stimgen.cli.terminal import print_json, print_result, print_text

commands = typer.Typer()


@commands.command()
def power(
    experiment: str = EXPERIMENT,
    participants: str = option("--participants", "N,N", "Numbers of participants.", "8,12,16,20"),
    repetitions: str | None = option(
        "--repetitions", "N,N", "Numbers of repetitions of each trial. [default: the experiment's]"
    ),
    effect: str | None = option(
        "--effect",
        "D",
        "True d': 1.5, or A=2,B=1.2 by condition. [default: the experiment's `simulated`]",
    ),
    participant_sd: float | None = option(
        "--participant-sd",
        "SHARE",
        "SD of d' over participants, as a share of d'. [default: .25]",
        min=0.0,
        max=2.0,
    ),
    source_sd: float | None = option(
        "--source-sd", "SHARE", "SD of d' over sources, as a share of d'. [default: .5]", min=0.0, max=2.0
    ),
    correlation: float | None = option(
        "--correlation", "R", "Of these differences between conditions. [default: .5]", min=0.0, max=1.0
    ),
    studies: int = option("--studies", "N", "Number of simulated studies.", 100, min=1, max=100_000),
    workers: int | None = option(
        "--workers", "N", "Number of processes. [default: all processors]", min=1, max=256
    ),
    stimuli: list[Path] | None = STIMULI,
    output: Path | None = option("-o, --output", "FOLDER", "Folder of the results. [default: power/NAME]"),
    *,
    as_json: bool = JSON,
    quiet: bool = QUIET,
) -> None:
    """Estimate how often a planned study finds its effect.

    Simulates whole studies with participants and sources that differ, and analyzes each.
    """
    from stimgen.cli.prospects_text import format_power, parse_effect, parse_numbers, show_progress
    from stimgen.experiment.schema.load import load_experiment
    from stimgen.workflow.power import estimate_power
    from stimgen.workflow.power_files import write_power
    from stimgen.workflow.power_options import PowerOptions

    options = PowerOptions(
        participants=parse_numbers("--participants", participants),
        repetitions=parse_numbers("--repetitions", repetitions) if repetitions is not None else (),
        studies=studies,
        effect=None if effect is None else parse_effect(effect),
        participant_sd=participant_sd,
        source_sd=source_sd,
        correlation=correlation,
        workers=workers,
    )
    loaded = load_experiment(experiment)
    found = estimate_power(loaded, options, tuple(stimuli or ()), show_progress(quiet=quiet or as_json))
    files = write_power(found, output)
    if as_json:
        print_json({**found.to_dict(), "files": [str(file) for file in files]})
    else:
        print_text(format_power(found, files))


@commands.command()
def predict(
    experiment: str = EXPERIMENT,
    features: list[str] | None = option(
        "--features", "NAME", "Features that `stimgen features` stored; repeatable. [default: all]"
    ),
    participants: int = option("--participants", "N", "Participants whose trials are answered.", 4, min=1),
    scaled_by: str = option(
        "--scaled-by", "NAME", "What features are measured by: parts or pictures.", "parts"
    ),
    noise: float | None = option(
        "--noise", "SD", "Noise of each feature. [default: the experiment's]", min=0.0
    ),
    stimuli: list[Path] | None = STIMULI,
    output: Path | None = option("-o, --output", "FILE", "Also write a CSV file."),
    *,
    as_json: bool = JSON,
) -> None:
    """Predict from the pictures which conditions are hard.

    The observer `model` answers the experiment's trials, with one network's features after the other.
    """
    from stimgen.cli.prospects_text import format_prediction, parse_scaled_by
    from stimgen.experiment.schema.load import load_experiment
    from stimgen.workflow.predict import PredictOptions, predict_accuracy

    options = PredictOptions(tuple(features or ()), participants, parse_scaled_by(scaled_by), noise)
    found = predict_accuracy(load_experiment(experiment), options, tuple(stimuli or ()))
    if output is not None:
        found.write(output)
    print_result(found, format_prediction, as_json=as_json)
