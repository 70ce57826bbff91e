"""Reads journals, BIDS datasets and CSV files into one table of trials."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from stimgen.analysis.columns import TRIAL_COLUMNS
from stimgen.analysis.exclusions import apply_exclusions
from stimgen.analysis.read.bids import read_bids
from stimgen.analysis.read.csv_table import read_csv
from stimgen.analysis.read.journals import read_journals
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable, sort_values
from stimgen.experiment.journal.data_folder import JOURNALS
from stimgen.experiment.journal.journal import has_header
from stimgen.reading.errors import StimgenError

TABLES = (".csv", ".tsv", ".txt")
_NUMBER_INSIDE = re.compile(r"\d+\.?\d*")
COMMON_FACTORS = ("condition", "source", "oddball", "session", "block", "group")
_COMMA = re.compile(r"[-+]?\d+,\d+")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def read_trials(paths: Sequence[Path], settings: AnalysisSettings | None = None) -> TrialTable:
    """Return all trials of folders and files, as one table.

    A folder is one that `stimgen run` wrote (its journals are read), a BIDS dataset, or one with CSV files; a
    file is a journal (.jsonl) or a table (.csv, .tsv).

    Parameters
    ----------
    paths : sequence of Path
        Folders and files.
    settings : AnalysisSettings, optional
        Names of columns and what is not in the data.

    Returns
    -------
    TrialTable
        The trials, with what else is known.

    Raises
    ------
    StimgenError
        A path is none of those; a file is damaged, lacks a column, or has a value out of range; a trial
        occurs twice; or people and computed observers would be pooled.
    """
    settings = settings or AnalysisSettings()
    journals, tables = _collect(paths, settings)
    if journals:
        tables.insert(0, read_journals(journals))
    table = _keep_observer(_join(tables), settings)
    return _apply(_number_trials(table), settings)


def _collect(paths: Sequence[Path], settings: AnalysisSettings) -> tuple[list[Path], list[TrialTable]]:
    """Return the journals among the paths, and the tables of the others."""
    journals: list[Path] = []
    tables: list[TrialTable] = []
    for path in paths:
        if path.is_dir():
            found = sorted((path / JOURNALS).glob("*.jsonl")) or sorted(path.glob("*.jsonl"))
            csv_files = sorted(
                file
                for file in path.glob("*")
                if file.suffix.lower() in (".csv", ".tsv") and file.stem != "participants"
            )
            if found:
                journals += [file for file in found if has_header(file)]
            elif (path / "dataset_description.json").is_file():
                tables.append(read_bids(path))
            elif csv_files:
                tables += [read_csv(file, settings) for file in csv_files]
            else:
                raise StimgenError("holds neither journals nor a BIDS dataset nor CSV files", where=path)
        elif path.suffix.lower() == ".jsonl":
            journals.append(path)
        elif path.suffix.lower() in TABLES or path.exists():
            tables.append(read_csv(path, settings))
        else:
            raise StimgenError("no such file or folder", where=path)
    return journals, tables


def _join(tables: list[TrialTable]) -> TrialTable:
    import pandas as pd

    if len(tables) == 1:
        return tables[0]
    if not tables:
        from stimgen.analysis.trial_table import complete_frame

        return TrialTable(complete_frame({name: [] for name in TRIAL_COLUMNS}))
    models = {
        table.model.text if table.model else "a task without d'" for table in tables if len(table.frame)
    }
    if len(models) > 1:
        raise StimgenError(
            "the data are of different tasks: " + " and ".join(sorted(models)),
            hint="analyze the experiments one at a time",
        )
    factors = list(dict.fromkeys(name for table in tables for name in table.factors))
    frame = pd.concat([table.frame for table in tables], ignore_index=True)
    for name in factors:
        frame[name] = frame[name].fillna("")
    notes = dict.fromkeys(note for table in tables for note in table.notes)
    return TrialTable(
        frame,
        tuple(sorted(factors, key=lambda name: name != "condition")),
        next((table.model for table in tables if table.model), None),
        next((table.chance for table in tables if table.chance), None),
        thresholds=tuple(one for table in tables for one in table.thresholds),
        staircase=next((table.staircase for table in tables if table.staircase), None),
        rules=tuple(rule for table in tables for rule in table.rules),
        criterion_missed=frozenset().union(*(table.criterion_missed for table in tables)),
        notes=tuple(notes),
    )


def _keep_observer(table: TrialTable, settings: AnalysisSettings) -> TrialTable:
    """Keep one kind of observer; a person's trials and a computed observer's are never pooled."""
    kinds = sorted(set(table.frame["observer"]))
    if settings.observer is not None:
        kept = table.frame[table.frame["observer"] == settings.observer].reset_index(drop=True)
        dropped = len(table.frame) - len(kept)
        if not dropped:
            return replace(table, frame=kept)
        return replace(table, frame=kept).add_notes(f"Trials of other observers were left out: {dropped}.")
    if len(kinds) > 1:
        counts = ", ".join(f"{(table.frame['observer'] == kind).sum()} of {kind}" for kind in kinds)
        raise StimgenError(
            f"trials of different observers are never pooled: {counts}",
            hint=f"keep those of one: --observer {kinds[0]}",
        )
    return table


def _number_trials(table: TrialTable) -> TrialTable:
    """Refuse trials that occur twice, and number trials whose numbers begin again within a session.

    Two rows are one trial if number, answer and response time are the same. Without response times, which
    hardly ever agree by chance, they are taken for two.
    """
    frame = table.frame
    keys = ["experiment", "participant", "session", "block", "trial"]
    if not frame.duplicated(keys).any() or frame["trial"].isna().any():
        return table
    answers = ["participant", "session", "trial", "response", "correct", "response_time"]
    twice = frame[frame.duplicated(answers) & frame["response_time"].notna()]
    if len(twice):
        first = twice.iloc[0]
        raise StimgenError(
            f"{first['file']}, line {first['row']:.0f}: trial {first['trial']:.0f} of participant "
            f"{first['participant']}, session {first['session']}, occurs twice",
            hint="name each session once; a column of sessions is named by --column session=NAME",
        )
    order = frame.groupby(["experiment", "participant", "session"], sort=False).cumcount() + 1.0
    note = "Numbers of trials begin again within a session: trials are numbered in the order of rows."
    return replace(table, frame=frame.assign(trial=order)).add_notes(note)


def _apply(table: TrialTable, settings: AnalysisSettings) -> TrialTable:
    """Put what the user says in the place of what the data say."""
    rules = dict(table.rules)
    if settings.exclusions is not None:
        rules = dict.fromkeys(set(table.frame["experiment"]), settings.exclusions)
    table = apply_exclusions(table, rules)
    model = settings.decision_model or table.model
    if settings.task is None and model is not None and (settings.rule or settings.dimensions > 1):
        model = replace(model, rule=settings.rule or model.rule, dimensions=settings.dimensions)
    chance = settings.chance if settings.chance is not None else table.chance
    if settings.chance is None and model is not None:
        chance = model.chance
    table = _number_levels(table, settings)
    factors = _choose_factors(table, settings)
    experiments = sort_values(set(table.frame["experiment"]))
    if len(experiments) > 1 and "experiment" not in factors:
        note = f"Trials of {len(experiments)} experiments are taken together: {', '.join(experiments)}."
        table = table.add_notes(f"{note} To keep them apart: --by {','.join(['experiment', *factors])}.")
    for name in settings.order:
        _require_column(name, table)
    notes = tuple(one for one in table.notes if model is None or not one.endswith("--task."))
    orders = tuple(settings.order.items())
    return replace(table, model=model, chance=chance, factors=factors, orders=orders, notes=notes)


def _number_levels(table: TrialTable, settings: AnalysisSettings) -> TrialTable:
    """Return the table with the numbers of the factor that `settings.level` names."""
    if settings.level is None:
        return table
    _require_column(settings.level, table)
    numbers = {}
    for value in sorted(set(table.frame[settings.level])):
        text = value.replace(",", ".") if _COMMA.fullmatch(value) else value
        found = _NUMBER.match(text) or _NUMBER_INSIDE.search(text)
        if value in settings.levels:
            numbers[value] = settings.levels[value]
        elif found is not None:
            numbers[value] = float(found[0])
        elif value:
            raise StimgenError(
                f"{settings.level}: {value!r} has no number",
                hint=f"give the numbers in the settings: levels: {{{value}: NUMBER, ...}}",
            )
    return replace(table, frame=table.frame.assign(level=table.frame[settings.level].map(numbers)))


def _choose_factors(table: TrialTable, settings: AnalysisSettings) -> tuple[str, ...]:
    """Return the factors that the user names, or those of which main trials have several values."""
    if settings.by is None:
        main = table.main
        varied = [name for name in table.factors if name == "condition" or main[name].nunique() > 1]
        named = [name for name in settings.order if name in table.factors]
        return tuple(dict.fromkeys([*varied, *named]))
    for name in settings.by:
        _require_column(name, table)
    return settings.by


def _require_column(name: str, table: TrialTable) -> None:
    if name not in table.frame.columns:
        raise StimgenError(
            f"the data have no factor {name!r}",
            given=name,
            allowed=_list_names(table.factors, COMMON_FACTORS),
        )


def _list_names(*names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for part in names for name in part))
