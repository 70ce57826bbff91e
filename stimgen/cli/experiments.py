"""Defines the commands that run experiments."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import typer

from stimgen.cli.options import (
    EXPERIMENT,
    JSON,
    LABEL,
    QUIET,
    SESSION,
    STIMULI,
    WINDOWED,
    argument,
    flag,
    option,
)
from stimgen.cli.terminal import INTERRUPTED, PROBLEM_FOUND, print_json, print_result, print_text

commands = typer.Typer()


@commands.command()
def trials(
    experiment: str = EXPERIMENT,
    participant: str | None = option("--participant", "LABEL", LABEL),
    session: str = SESSION,
    stimuli: list[Path] | None = STIMULI,
    participants: int | None = option(
        "--participants", "N", "Count the trials of N participants instead, to see the balance.", min=1
    ),
    *,
    as_json: bool = JSON,
) -> None:
    """List the trials of a session in advance, or count them."""
    from stimgen.cli.balance_text import format_balance
    from stimgen.cli.experiment_text import format_trials
    from stimgen.experiment.design.decisions import Participant
    from stimgen.experiment.schema.load import load_experiment
    from stimgen.reading.errors import StimgenError
    from stimgen.workflow.balance import count_trials
    from stimgen.workflow.trials import list_trials

    if (participant is None) == (participants is None):
        raise StimgenError(
            "name one participant, to list the trials, or a number of participants, to count them",
            hint="for example --participant 01, or --participants 12",
        )
    if participant is None:
        counted = count_trials(load_experiment(experiment), participants or 1, session, tuple(stimuli or ()))
        print_result(counted, format_balance, as_json=as_json)
        return
    found = list_trials(load_experiment(experiment), Participant(participant, session), tuple(stimuli or ()))
    print_result(found, format_trials, as_json=as_json)


@commands.command()
def run(
    experiment: str = EXPERIMENT,
    participant: str | None = option("--participant", "LABEL", f"{LABEL} [default: a dialog asks]"),
    session: str = SESSION,
    stimuli: list[Path] | None = STIMULI,
    data: Path | None = option(
        "-o, --output",
        "DATA",
        "The folder of the data. [default: data/NAME; rehearsal/NAME without a person]",
    ),
    observer: str = option(
        "--observer", "OBSERVER", "psychopy (a person), simulated or model.", default="psychopy"
    ),
    participants: int | None = option("--participants", "N", "Run N simulated observers, 01 to N.", min=1),
    language: str | None = option("--language", "CODE", "Language of the instructions. [default: the first]"),
    form: list[str] | None = option("--form", "FIELD=ANSWER", "An answer of the form; repeatable."),
    *,
    windowed: bool = WINDOWED,
    resume: bool = flag("--resume", "Continue an interrupted session."),
    as_json: bool = JSON,
    quiet: bool = QUIET,
) -> None:
    """Run a session with a person or a simulated observer.

    Every trial is saved in a journal before the next one starts.
    """
    from stimgen.cli.experiment_text import format_outcome
    from stimgen.experiment.journal.form import parse_form_answers
    from stimgen.experiment.schema.load import load_experiment
    from stimgen.workflow.run import RunOptions
    from stimgen.workflow.study import SessionId, run_study

    options = RunOptions(
        observer=observer,
        stimuli=tuple(stimuli or ()),
        data=data,
        windowed=windowed,
        resume=resume,
        language=language,
        form=parse_form_answers(form or ()),
    )
    outcomes = []
    for outcome in run_study(
        load_experiment(experiment), SessionId(participant, session), participants, options
    ):
        outcomes.append(outcome)
        if not (quiet or as_json):
            print_text(format_outcome(outcome))
        if outcome.problem is not None:
            print_text(outcome.problem, error=True)
    if as_json:
        print_json([outcome.to_dict() for outcome in outcomes])
    if not all(outcome.complete for outcome in outcomes):
        raise typer.Exit(INTERRUPTED)


@commands.command(name="display-check")
def display_check(
    experiment: str | None = argument("[EXPERIMENT]", "Outline the pictures of this experiment.", None),
    stimuli: list[Path] | None = STIMULI,
    seconds: float | None = option(
        "--seconds",
        "S",
        "Measure S seconds, then close. [default: 10, then wait]",
        min=0.1,
        max=3600.0,
    ),
    save: str | None = option("--save", "NAME", "Save monitors/NAME.yaml, for use in experiments."),
    width_cm: float | None = option("--width-cm", "CM", "Width of the screen's visible area.", min=1.0),
    distance_cm: float | None = option("--distance-cm", "CM", "Distance of the eyes.", min=1.0),
    refresh_hz: float | None = option(
        "--refresh-hz", "HZ", "Nominal refresh rate. [default: 60]", min=10.0, max=1000.0
    ),
    linearised: datetime | None = option(
        "--linearised", "DATE", "Date of the linearisation.", formats=["%Y-%m-%d"]
    ),
    screen: int | None = option("--screen", "N", "Number of the screen. [default: 0]", min=0),
    *,
    replace: bool = flag("--replace", "Replace a saved monitor of that name."),
    windowed: bool = WINDOWED,
    as_json: bool = JSON,
) -> None:
    """Show a test card and measure the screen's refresh rate.

    The exit code is 1 if the measured rate is not the nominal one.
    """
    from stimgen.cli.experiment_text import format_display_check
    from stimgen.experiment.display_check.setup import DisplaySetup
    from stimgen.experiment.schema.load import load_experiment
    from stimgen.workflow.display_check import DisplayCheckOptions, check_display

    setup = DisplaySetup(
        loaded=None if experiment is None else load_experiment(experiment),
        width_cm=width_cm,
        distance_cm=distance_cm,
        declared_hz=refresh_hz,
        linearised=None if linearised is None else f"{linearised:%Y-%m-%d}",
        screen_number=screen,
        windowed=windowed,
    )
    found = check_display(setup, DisplayCheckOptions(tuple(stimuli or ()), seconds, save, replace))
    print_result(found, format_display_check, as_json=as_json)
    if found.problem is not None:
        raise typer.Exit(PROBLEM_FOUND)
