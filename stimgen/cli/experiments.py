"""Commands about experiments."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from stimgen.cli.options import JsonOption
from stimgen.cli.terminal import INTERRUPTED, PROBLEM_FOUND, print_json, print_text

commands = typer.Typer()

ExperimentArgument = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="A YAML file, or the name of a shipped experiment.")
]
ParticipantOption = Annotated[
    str, typer.Option("--participant", metavar="LABEL", help="Letters and digits, such as 01.")
]
SessionOption = Annotated[str, typer.Option("--session", metavar="LABEL", help="Letters and digits.")]
StimuliOption = Annotated[
    list[Path] | None,
    typer.Option("--stimuli", metavar="FOLDER", help="A set's folder, instead of those that the file names."),
]
DataArgument = Annotated[Path, typer.Argument(metavar="DATA", help="The folder of an experiment's data.")]


@commands.command()
def trials(
    experiment: ExperimentArgument,
    participant: ParticipantOption,
    session: SessionOption = "1",
    stimuli: StimuliOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the trials of a participant's session, without running anything."""
    from stimgen.experiment.design.decisions import Participant
    from stimgen.experiment.schema.load import load_experiment
    from stimgen.workflow.trials import format_trials, list_trials

    found = list_trials(load_experiment(experiment), Participant(participant, session), tuple(stimuli or ()))
    if as_json:
        print_json(found)
    else:
        print_text(format_trials(found))


@commands.command()
def run(  # noqa: PLR0913 - an option of the command is an argument here
    experiment: ExperimentArgument,
    participant: Annotated[
        str | None,
        typer.Option("--participant", metavar="LABEL", help="Letters and digits, such as 01."),
    ] = None,
    session: SessionOption = "1",
    stimuli: StimuliOption = None,
    data: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DATA", help="Default: data/NAME.")
    ] = None,
    observer: Annotated[
        str, typer.Option("--observer", help="psychopy, a person; or simulated or model.")
    ] = "psychopy",
    participants: Annotated[
        int | None,
        typer.Option("--participants", metavar="N", min=1, help="A study of N simulated observers, 01 to N."),
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", metavar="CODE", help="Default: the first of the file.")
    ] = None,
    form: Annotated[
        list[str] | None,
        typer.Option(
            "--form", metavar="FIELD=ANSWER", help="A field of the participant's form; several times."
        ),
    ] = None,
    *,
    windowed: Annotated[bool, typer.Option("--windowed", help="In a window, to try things.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted session.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Run a session; everything is kept in a journal, trial by trial."""
    from stimgen.experiment.journal.form import parse_form_answers
    from stimgen.experiment.schema.load import load_experiment
    from stimgen.workflow.run import RunOptions, run_study

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
    for ended in run_study(load_experiment(experiment), (participant, session), participants, options):
        complete = complete and ended.complete
        if not quiet:
            print_text(ended.text())
        if ended.problem is not None:
            print_text(ended.problem, error=True)
    if not complete:
        raise typer.Exit(INTERRUPTED)


@commands.command()
def freeze(  # noqa: PLR0913 - an option of the command is an argument here
    what: Annotated[
        str,
        typer.Argument(
            metavar="EXPERIMENT",
            help="A YAML file, or a shipped experiment; with --check, data's folder.",
        ),
    ],
    target: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="The archive to write.")
    ] = None,
    participants: Annotated[
        int | None,
        typer.Option("--participants", metavar="N", min=1, max=10_000, help="How many: 01 to N."),
    ] = None,
    session: Annotated[
        list[str] | None,
        typer.Option("--session", metavar="LABEL", help="A session of each; may be given again. Default: 1."),
    ] = None,
    stimuli: StimuliOption = None,
    exclusions: Annotated[
        Path | None,
        typer.Option("--exclusions", metavar="FILE", help="Whose data are left out; default: the notes."),
    ] = None,
    check: Annotated[
        Path | None, typer.Option("--check", metavar="FILE", help="Compare data with this archive instead.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Pack a study before it is run, to be deposited as a preregistration; or compare data with it."""
    if check is not None:
        _compare_with_study(check, Path(what), as_json=as_json)
        return
    from stimgen.experiment.schema.load import load_experiment
    from stimgen.reading.errors import StimgenError
    from stimgen.workflow.freeze import StudyOptions
    from stimgen.workflow.freeze import freeze_study as pack

    if target is None or participants is None:
        raise StimgenError("name the archive with -o, and say with --participants how many take part")
    plan = StudyOptions(participants, tuple(session or ("1",)), tuple(stimuli or ()), exclusions)
    study = pack(load_experiment(what), plan, target)
    print_text(f"{target}: {study.name}, sessions: {len(list(study.persons))}, sets: {len(study.sets)}")


def _compare_with_study(archive: Path, data: Path, *, as_json: bool) -> None:
    from stimgen.reading.errors import make_printable
    from stimgen.workflow.freeze import check_study

    found = check_study(archive, data)
    if as_json:
        print_json({"as_planned": found.as_planned, **vars(found)})
    else:
        for line in (*found.sessions, *(f"note: {note}" for note in found.notes)):
            print_text(make_printable(line))
        for difference in found.differences:
            print_text(make_printable(difference, 5000), error=True)
        print_text(
            f"{data}: {'as planned' if found.as_planned else f'differences: {len(found.differences)}'}"
        )
    if not found.as_planned:
        raise typer.Exit(PROBLEM_FOUND)


@commands.command()
def tabulate(
    data: DataArgument,
    name: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="bids or csv; default: all, each in a folder."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="TARGET", help="Default: DATA/bids and DATA/csv.")
    ] = None,
    stimuli: StimuliOption = None,
    tell: Annotated[
        list[str] | None,
        typer.Option("--tell", metavar="FIELD", help="A field of participants' forms that BIDS files tell."),
    ] = None,
) -> None:
    """Write tables from journals, anew and whole: BIDS with the pictures, CSV with PsychoPy's columns."""
    from stimgen.workflow.tabulate import TableOptions
    from stimgen.workflow.tabulate import write_tables as write

    for written in write(data, TableOptions(name, output, tuple(stimuli or ()), tuple(tell or ()))):
        print_text(written.text())


@commands.command()
def withdraw(
    data: DataArgument,
    participant: Annotated[str, typer.Option("--participant", metavar="LABEL", help="Who is to be removed.")],
) -> None:
    """Remove one participant everywhere, journals, form and tables, and say what was removed."""
    from stimgen.workflow.withdraw import withdraw_participant as remove

    print_text(remove(data, participant).text())


@commands.command()
def replay(
    journal: Annotated[Path, typer.Argument(metavar="JOURNAL", help="The journal of a session.")],
    trial: Annotated[
        int, typer.Option("--trial", metavar="N", help="Its number in the session, practice included.")
    ],
    stimuli: StimuliOption = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FOLDER", help="Default: replay/JOURNAL_trial-N."),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Draw the frames of a trial again, and compare them with those that were shown."""
    from stimgen.workflow.replay import replay_trial as draw

    found = draw(journal, trial, tuple(stimuli or ()), output)
    if as_json:
        print_json(found.to_dict())
    else:
        print_text(found.text())
    if not found.agrees:
        raise typer.Exit(PROBLEM_FOUND)


@commands.command(name="display-check")
def display_check(  # noqa: PLR0913 - an option of the command is an argument here
    experiment: Annotated[
        str | None,
        typer.Argument(metavar="[EXPERIMENT]", help="Shows where its pictures will be; a file or a name."),
    ] = None,
    stimuli: StimuliOption = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds",
            metavar="S",
            min=0.1,
            max=3600.0,
            help="Measure for so long, then end. Default: ten seconds, then stay until a key is pressed.",
        ),
    ] = None,
    save: Annotated[
        str | None,
        typer.Option("--save", metavar="NAME", help="Save monitors/NAME.yaml, for experiments to quote."),
    ] = None,
    width_cm: Annotated[
        float | None, typer.Option("--width-cm", metavar="CM", min=1.0, help="Of what shows pixels.")
    ] = None,
    distance_cm: Annotated[
        float | None, typer.Option("--distance-cm", metavar="CM", min=1.0, help="From the eye to the screen.")
    ] = None,
    refresh_hz: Annotated[
        float | None,
        typer.Option("--refresh-hz", metavar="HZ", min=10.0, max=1000.0, help="Declared; default 60."),
    ] = None,
    linearised: Annotated[
        datetime | None,
        typer.Option(
            "--linearised", metavar="DATE", formats=["%Y-%m-%d"], help="Date of the table, YYYY-MM-DD."
        ),
    ] = None,
    screen: Annotated[
        int | None, typer.Option("--screen", metavar="N", min=0, help="Which of the computer's; default 0.")
    ] = None,
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a monitor of that name.")] = False,
    windowed: Annotated[bool, typer.Option("--windowed", help="In a window, to try things.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show a card to set up a room by, and measure the screen's refresh."""
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
    if as_json:
        print_json(found.to_dict())
    else:
        print_text(found.text())
    if found.problem is not None:
        raise typer.Exit(PROBLEM_FOUND)
