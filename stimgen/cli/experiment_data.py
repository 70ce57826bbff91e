"""Defines the commands that use the data of experiments."""

from __future__ import annotations

from pathlib import Path

import typer

from stimgen.cli.options import (
    DATA,
    DECIMAL,
    JSON,
    LABEL,
    NO_MARK,
    SEPARATOR,
    STIMULI,
    argument,
    option,
)
from stimgen.cli.terminal import PROBLEM_FOUND, print_json, print_problems, print_result, print_text

commands = typer.Typer()


@commands.command()
def tabulate(
    data: Path = DATA,
    name: str | None = option("--format", "FORMAT", "bids, csv or psychds. [default: bids and csv]"),
    output: Path | None = option("-o, --output", "TARGET", "Folder of the tables. [default: DATA/FORMAT]"),
    stimuli: list[Path] | None = STIMULI,
    fields: list[str] | None = option(
        "--form-field, --tell", "FIELD", "Also include this field of forms; repeatable."
    ),
    separator: str = SEPARATOR,
    decimal: str = DECIMAL,
    *,
    no_mark: bool = NO_MARK,
) -> None:
    """Write tables of an experiment's data.

    Writes a BIDS dataset with the pictures, and CSV files with PsychoPy's columns.
    """
    from stimgen.cli.experiment_text import format_tables
    from stimgen.export.csv_style import CsvStyle
    from stimgen.workflow.tabulate import TableOptions, find_exclusions, write_tables

    style = CsvStyle(separator, decimal, byte_order_mark=not no_mark)
    options = TableOptions(name, output, tuple(stimuli or ()), tuple(fields or ()), style)
    for tables in write_tables(data, options):
        print_text(format_tables(tables))
    for line in find_exclusions(data).format_lines():
        print_text(line)


@commands.command()
def replay(
    journal: Path = argument("JOURNAL", "The journal of a session."),
    trial: int = option("--trial", "N", "The trial's number, counting practice trials.", ...),
    stimuli: list[Path] | None = STIMULI,
    output: Path | None = option(
        "-o, --output", "FOLDER", "Folder of the frames. [default: replay/JOURNAL_trial-N]"
    ),
    *,
    as_json: bool = JSON,
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
    data: Path = DATA,
    participant: str = option("--participant", "LABEL", LABEL, ...),
) -> None:
    """Delete all data of one participant.

    Deletes journals, the form and rows of tables, and lists what was deleted.
    """
    from stimgen.cli.experiment_text import format_withdrawal
    from stimgen.workflow.withdraw import withdraw_participant

    print_text(format_withdrawal(withdraw_participant(data, participant)))


@commands.command()
def freeze(
    what: str = argument("EXPERIMENT", "A YAML file or a name; with --check, the folder of the data."),
    target: Path | None = option("-o, --output", "FILE", "The archive to write."),
    participants: int | None = option(
        "--participants", "N", "Number of participants, 01 to N.", min=1, max=10000
    ),
    session: list[str] | None = option("--session", "LABEL", "Label of a session; repeatable. [default: 1]"),
    stimuli: list[Path] | None = STIMULI,
    exclusions: Path | None = option(
        "--exclusions", "FILE", "The exclusion rules. [default: `notes` of the experiment]"
    ),
    check: Path | None = option("--check", "FILE", "Compare data with this archive."),
    *,
    as_json: bool = JSON,
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
    from stimgen.stimulus_set.citing.wording import format_count
    from stimgen.workflow.freeze import StudyOptions, freeze_study

    if target is None or participants is None:
        raise StimgenError(
            "the archive's name or the number of participants is missing",
            hint="add -o FILE and --participants N",
        )
    options = StudyOptions(participants, tuple(session or ("1",)), tuple(stimuli or ()), exclusions)
    study = freeze_study(load_experiment(what), options, target)
    sessions = format_count(len(list(study.persons)), "session")
    print_text(f"{target}: {study.name}, {sessions}, {format_count(len(study.sets), 'set')}")


def _compare_with_study(archive: Path, data: Path, *, as_json: bool) -> None:
    from stimgen.reading.errors import make_printable
    from stimgen.workflow.freeze import check_study

    found = check_study(archive, data)
    if as_json:
        print_json({"as_planned": found.as_planned, **vars(found)})
    else:
        for line in (*found.sessions, *found.exclusions, *(f"note: {note}" for note in found.notes)):
            print_text(make_printable(line))
        print_problems(make_printable(difference, 5000) for difference in found.differences)
        verdict = "as planned" if found.as_planned else f"differences from the plan: {len(found.differences)}"
        print_text(f"{data}: {verdict}")
    if not found.as_planned:
        raise typer.Exit(PROBLEM_FOUND)
