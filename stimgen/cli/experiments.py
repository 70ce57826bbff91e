"""Commands that run experiments and use their data."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from stimgen.cli.options import (
    DataArgument,
    ExperimentArgument,
    JsonOption,
    QuietOption,
    SessionOption,
    StimuliOption,
    WindowedOption,
    output_option,
)
from stimgen.cli.terminal import (
    INTERRUPTED,
    PROBLEM_FOUND,
    print_json,
    print_problems,
    print_result,
    print_text,
)

commands = typer.Typer()

LABEL_HELP = "The participant's label: letters and digits, for example 01."


@commands.command()
def trials(
    experiment: ExperimentArgument,
    participant: Annotated[str, typer.Option("--participant", metavar="LABEL", help=LABEL_HELP)],
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
        typer.Option("--participant", metavar="LABEL", help=f"{LABEL_HELP} [default: a dialog asks]"),
    ] = None,
    session: SessionOption = "1",
    stimuli: StimuliOption = None,
    data: Annotated[
        Path | None, output_option("DATA", "The folder of the data. [default: data/NAME of the experiment]")
    ] = None,
    observer: Annotated[
        str,
        typer.Option(
            "--observer", metavar="OBSERVER", help="psychopy (a person at the screen), simulated or model."
        ),
    ] = "psychopy",
    participants: Annotated[
        int | None,
        typer.Option("--participants", metavar="N", min=1, help="Run N simulated observers, 01 to N."),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            "--language",
            metavar="CODE",
            help="Language of the instructions. [default: the first]",
        ),
    ] = None,
    form: Annotated[
        list[str] | None,
        typer.Option(
            "--form", metavar="FIELD=ANSWER", help="An answer of the participant's form; repeat it for more."
        ),
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


@commands.command()
def tabulate(
    data: DataArgument,
    name: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="bids or csv. [default: both]"),
    ] = None,
    output: Annotated[
        Path | None,
        output_option("TARGET", "The folder of the tables. [default: DATA/bids and DATA/csv]"),
    ] = None,
    stimuli: StimuliOption = None,
    fields: Annotated[
        list[str] | None,
        typer.Option(
            "--form-field",
            "--tell",
            metavar="FIELD",
            help="Include this field of the participants' forms; repeat it for more. [default: none]",
        ),
    ] = None,
) -> None:
    """Write tables of an experiment's data.

    Writes a BIDS dataset with the pictures, and CSV files with PsychoPy's columns.
    """
    from stimgen.cli.experiment_text import format_tables
    from stimgen.workflow.tabulate import TableOptions, write_tables

    options = TableOptions(name, output, tuple(stimuli or ()), tuple(fields or ()))
    for tables in write_tables(data, options):
        print_text(format_tables(tables))


@commands.command()
def replay(
    journal: Annotated[Path, typer.Argument(metavar="JOURNAL", help="The journal of a session.")],
    trial: Annotated[
        int, typer.Option("--trial", metavar="N", help="The trial's number, counting practice trials.")
    ],
    stimuli: StimuliOption = None,
    output: Annotated[
        Path | None,
        output_option("FOLDER", "Where to write the frames. [default: replay/JOURNAL_trial-N]"),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Draw a trial's frames again and compare them.

    Compares them with the frames that were shown in the session; the exit code is 1 if one differs.
    """
    from stimgen.cli.experiment_text import format_replay
    from stimgen.workflow.replay import replay_trial

    found = replay_trial(journal, trial, tuple(stimuli or ()), output)
    print_result(found, format_replay, as_json=as_json)
    if not found.agrees:
        raise typer.Exit(PROBLEM_FOUND)


@commands.command()
def withdraw(
    data: DataArgument,
    participant: Annotated[str, typer.Option("--participant", metavar="LABEL", help=LABEL_HELP)],
) -> None:
    """Delete all data of one participant.

    Deletes journals, the form and rows of tables, and lists what was deleted.
    """
    from stimgen.cli.experiment_text import format_withdrawal
    from stimgen.workflow.withdraw import withdraw_participant

    print_text(format_withdrawal(withdraw_participant(data, participant)))


@commands.command()
def freeze(  # noqa: PLR0913 - an option of the command is an argument here
    what: Annotated[
        str,
        typer.Argument(
            metavar="EXPERIMENT",
            help="A YAML file, or the name of a shipped experiment; with --check, the folder of the data.",
        ),
    ],
    target: Annotated[Path | None, output_option("FILE", "The archive to write.")] = None,
    participants: Annotated[
        int | None,
        typer.Option(
            "--participants", metavar="N", min=1, max=10_000, help="The number of participants, 01 to N."
        ),
    ] = None,
    session: Annotated[
        list[str] | None,
        typer.Option(
            "--session", metavar="LABEL", help="A session of each; repeat it for more. [default: 1]"
        ),
    ] = None,
    stimuli: StimuliOption = None,
    exclusions: Annotated[
        Path | None,
        typer.Option(
            "--exclusions",
            metavar="FILE",
            help="A text with the exclusion rules. [default: the experiment's notes]",
        ),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check", metavar="FILE", help="Compare data with this archive."
        ),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Archive a study before it is run.

    The archive holds the experiment, sets, all trials and exclusion rules; deposit it as a preregistration.
    With --check, compares data with an archive; the exit code is 1 if they differ.
    """
    if check is not None:
        _compare_with_study(check, Path(what), as_json=as_json)
        return
    from stimgen.experiment.schema.load import load_experiment
    from stimgen.reading.errors import StimgenError
    from stimgen.workflow.freeze import StudyOptions, freeze_study

    if target is None or participants is None:
        raise StimgenError(
            "the archive's name or the number of participants is missing",hint="add -o FILE and --participants N"
        )
    options = StudyOptions(participants, tuple(session or ("1",)), tuple(stimuli or ()), exclusions)
    study = freeze_study(load_experiment(what), options, target)
    print_text(f"{target}: {study.name}, {len(list(study.persons))} sessions, {len(study.sets)} sets")


def _compare_with_study(archive: Path, data: Path, *, as_json: bool) -> None:
    from stimgen.reading.errors import make_printable
    from stimgen.workflow.freeze import check_study

    found = check_study(archive, data)
    if as_json:
        print_json({"as_planned": found.as_planned, **vars(found)})
    else:
        for line in (*found.sessions, *(f"note: {note}" for note in found.notes)):
            print_text(make_printable(line))
        print_problems(make_printable(difference, 5000) for difference in found.differences)
        verdict = "as planned" if found.as_planned else f"differences from the plan: {len(found.differences)}"
        print_text(f"{data}: {verdict}")
    if not found.as_planned:
        raise typer.Exit(PROBLEM_FOUND)


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
        typer.Option(
            "--seconds",
            metavar="S",
            min=0.1,
            max=3600.0,
            help="Measure for S seconds, then close. [default: measure for 10, then wait for a key]",
        ),
    ] = None,
    save: Annotated[
        str | None,
        typer.Option("--save", metavar="NAME", help="Save monitors/NAME.yaml, for use in experiments."),
    ] = None,
    width_cm: Annotated[
        float | None,
        typer.Option("--width-cm", metavar="CM", min=1.0, help="Width of the screen's visible area."),
    ] = None,
    distance_cm: Annotated[
        float | None,
        typer.Option("--distance-cm", metavar="CM", min=1.0, help="Distance from the eye to the screen."),
    ] = None,
    refresh_hz: Annotated[
        float | None,
        typer.Option(
            "--refresh-hz", metavar="HZ", min=10.0, max=1000.0, help="Nominal refresh rate. [default: 60]"
        ),
    ] = None,
    linearised: Annotated[
        datetime | None,
        typer.Option(
            "--linearised",
            metavar="DATE",
            formats=["%Y-%m-%d"],
            help="Date of the screen's linearisation table, YYYY-MM-DD.",
        ),
    ] = None,
    screen: Annotated[
        int | None, typer.Option("--screen", metavar="N", min=0, help="Number of the screen. [default: 0]")
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
