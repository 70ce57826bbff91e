"""Commands that run experiments."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from stimgen.cli.options import (
    LABEL_HELP,
    ExperimentArgument,
    JsonOption,
    ParticipantOption,
    QuietOption,
    SessionOption,
    StimuliOption,
    WindowedOption,
    option,
)
from stimgen.cli.terminal import (
    INTERRUPTED,
    PROBLEM_FOUND,
    print_result,
    print_text,
)

commands = typer.Typer()


@commands.command()
def trials(
    experiment: ExperimentArgument,
    participant: ParticipantOption,
    session: SessionOption = "1",
    stimuli: StimuliOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the trials of a session in advance."""
    from stimgen.cli.experiment_text import format_trials
    from stimgen.experiment.design.decisions import Participant
    from stimgen.experiment.schema.load import load_experiment
    from stimgen.workflow.trials import list_trials

    found = list_trials(load_experiment(experiment), Participant(participant, session), tuple(stimuli or ()))
    print_result(found, format_trials, as_json=as_json)


@commands.command()
def run(  # noqa: PLR0913 - an option of the command is an argument here
    experiment: ExperimentArgument,
    participant: Annotated[
        str | None,
        option("--participant", "LABEL", f"{LABEL_HELP} [default: a dialog asks]"),
    ] = None,
    session: SessionOption = "1",
    stimuli: StimuliOption = None,
    data: Annotated[
        Path | None,
        option("-o, --output", "DATA", "The folder of the data. [default: data/NAME]"),
    ] = None,
    observer: Annotated[
        str,
        option("--observer", "OBSERVER", "psychopy (a person at the screen), simulated or model."),
    ] = "psychopy",
    participants: Annotated[
        int | None,
        option("--participants", "N", "Run N simulated observers, 01 to N.", min=1),
    ] = None,
    language: Annotated[
        str | None,
        option("--language", "CODE", "Language of the instructions. [default: the first]"),
    ] = None,
    form: Annotated[
        list[str] | None,
        option("--form", "FIELD=ANSWER", "An answer of the participant's form; repeatable."),
    ] = None,
    *,
    windowed: WindowedOption = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted session.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Run a session with a person or a simulated observer.

    Every trial is saved in a journal before the next one starts.
    """
    from stimgen.cli.experiment_text import format_outcome
    from stimgen.experiment.journal.form import parse_form_answers
    from stimgen.experiment.schema.load import load_experiment
    from stimgen.workflow.run import RunOptions
    from stimgen.workflow.study import run_study

    options = RunOptions(
        observer=observer,
        stimuli=tuple(stimuli or ()),
        data=data,
        windowed=windowed,
        resume=resume,
        language=language,
        form=parse_form_answers(form or ()),
    )
    complete = True
    for outcome in run_study(load_experiment(experiment), (participant, session), participants, options):
        complete = complete and outcome.complete
        if not quiet:
            print_text(format_outcome(outcome))
        if outcome.problem is not None:
            print_text(outcome.problem, error=True)
    if not complete:
        raise typer.Exit(INTERRUPTED)


@commands.command(name="display-check")
def display_check(  # noqa: PLR0913 - an option of the command is an argument here
    experiment: Annotated[
        str | None,
        typer.Argument(
            metavar="[EXPERIMENT]", help="Outline the pictures of this experiment: a YAML file, or a name."
        ),
    ] = None,
    stimuli: StimuliOption = None,
    seconds: Annotated[
        float | None,
        option(
            "--seconds",
            "S",
            "Measure for S seconds, then close. [default: 10, then wait for a key]",
            min=0.1,
            max=3600.0,
        ),
    ] = None,
    save: Annotated[
        str | None,
        option("--save", "NAME", "Save monitors/NAME.yaml, for use in experiments."),
    ] = None,
    width_cm: Annotated[
        float | None,
        option("--width-cm", "CM", "Width of the screen's visible area.", min=1.0),
    ] = None,
    distance_cm: Annotated[
        float | None,
        option("--distance-cm", "CM", "Distance from the eye to the screen.", min=1.0),
    ] = None,
    refresh_hz: Annotated[
        float | None,
        option("--refresh-hz", "HZ", "Nominal refresh rate. [default: 60]", min=10.0, max=1000.0),
    ] = None,
    linearised: Annotated[
        datetime | None,
        option(
            "--linearised",
            "DATE",
            "Date of the linearisation table, YYYY-MM-DD.",
            formats=["%Y-%m-%d"],
        ),
    ] = None,
    screen: Annotated[
        int | None, option("--screen", "N", "Number of the screen. [default: 0]", min=0)
    ] = None,
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a saved monitor of that name.")] = False,
    windowed: WindowedOption = False,
    as_json: JsonOption = False,
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
