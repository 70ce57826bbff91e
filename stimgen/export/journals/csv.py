"""Writes CSV files with PsychoPy's usual columns: one file per session, one row per trial."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from stimgen.experiment.journal.journal import RecordedTrial
from stimgen.experiment.journal.response_times import time_from_last, time_of_first_letter
from stimgen.export.csv_style import CsvStyle
from stimgen.export.event_columns import FROM_START, find_factors, find_source_factors
from stimgen.export.events import onset_from_start
from stimgen.export.exclusions import exclusion_columns
from stimgen.export.further_answers import list_asked, question_columns
from stimgen.export.phase_durations import list_planned_durations
from stimgen.export.sessions import JournalSession, SessionPart
from stimgen.export.shown_pictures import ShownPictures
from stimgen.export.stream_hits import stream_cells
from stimgen.export.thresholds import THRESHOLD_COLUMNS, adaptive_cells, threshold_rows
from stimgen.reading.atomic import write_atomically

OURS = re.compile(r"sub-[A-Za-z0-9]+_ses-[A-Za-z0-9]+_task-\w+\.csv")
NO_KEY = "None"
"""PsychoPy writes this where no key was pressed."""


def write(sessions: Iterable[JournalSession], folder: Path, pictures: ShownPictures, style: CsvStyle) -> None:
    """Write the tables, as `JournalFormat.write` says."""
    del pictures
    for session in sessions:
        write_session_table(session, folder, style)


def write_session_table(session: JournalSession, folder: Path, style: CsvStyle | None = None) -> None:
    """Write the table of one session, and that of its thresholds if it has any.

    Existing files are kept if that fails.
    """
    # With a byte-order mark, as PsychoPy writes it: without one, spreadsheets take UTF-8 for something else.
    style = style or CsvStyle()
    stem = f"{session.stem}_task-{session.experiment}"
    _write_rows(folder / f"{stem}.csv", list(trial_rows(session)), style)
    if session.thresholds:
        _write_rows(folder / f"{stem}_thresholds.csv", list(_threshold_rows(session)), style)


def _write_rows(file: Path, rows: Sequence[dict[str, Any]], style: CsvStyle) -> None:
    with write_atomically(file) as stream:
        stream.write(style.format_rows(rows))


def trial_rows(session: JournalSession) -> Iterator[dict[str, Any]]:
    """Yield one row per trial, with the columns in their order."""
    counts: Counter[tuple[bool, str | None]] = Counter()
    named, asked = list(find_factors(session.parts)), list_asked(session.parts)
    named += [name for name in find_source_factors(session.parts) if name not in named]
    for run, part in enumerate(session.parts, 1):
        for line in part.trials:
            number = counts[line.trial.practice, line.trial.catch]
            counts[line.trial.practice, line.trial.catch] += 1
            response = _response_columns(line)
            about = _session_columns(session, part) | {"run": run, "observer": part.observer_of(line)}
            fixed = _number_columns(line, number) | _picture_columns(line)
            fixed[FROM_START.name] = onset_from_start(part, fixed["stimulus.started"])
            levels = line.trial.factors
            taken = {*fixed, *response, *about}
            yield {
                **fixed,
                **{f"factor_{name}" if name in taken else name: levels.get(name) for name in named},
                **response,
                **stream_cells(line),
                **exclusion_columns(session, line),
                **about,
                **list_planned_durations(line, part.planned_refresh_hz),
                **question_columns(line, asked),
            }


def _threshold_rows(session: JournalSession) -> Iterator[dict[str, Any]]:
    names = [column.name for column in THRESHOLD_COLUMNS]
    about = _session_columns(session, session.parts[-1]) if session.parts else {}
    for row in threshold_rows(session):
        yield {name: row.get(name) for name in names} | about


def _number_columns(line: RecordedTrial, number: int) -> dict[str, Any]:
    """Return what PsychoPy's loops write; their numbers begin with 0."""
    trial = line.trial
    return {
        "thisN": number,
        "trials.thisN": number if trial.is_main else None,
        "practice.thisN": number if trial.practice else None,
        "trial_index": trial.index,
        "block": trial.block,
        "track": trial.track,
        "level": trial.number,
        **(adaptive_cells(line) if line.adaptive else {}),
        "source": trial.source,
        "catch": trial.catch,
    }


def _picture_columns(line: RecordedTrial) -> dict[str, Any]:
    """Return what was shown, with one part per picture, in the order of the phases."""
    shown = [picture for phase in line.trial.phases for picture in phase.shown]
    shots = zip(line.trial.phases, line.outcome.shots, strict=True)
    first = next(shot for phase, shot in shots if phase.kind == "stimulus")
    return {
        "files": ";".join(one.file for one in shown),
        "ids": ";".join(one.id or "" for one in shown),
        "roles": ";".join(one.role for one in shown),
        "seeds": ";".join("" if one.seed is None else str(one.seed) for one in shown),
        "conditions": ";".join(one.condition for one in shown),
        "sources": ";".join(one.source for one in shown),
        "stimulus.started": first.onset,
        "stimulus.duration": first.duration,
        "dropped": sum(shot.dropped for shot in line.outcome.shots),
    }


def _response_columns(line: RecordedTrial) -> dict[str, Any]:
    outcome = line.outcome
    return {
        "key_resp.keys": NO_KEY if outcome.key is None and outcome.answer is None else outcome.key,
        "key_resp.corr": None if line.correct is None else int(line.correct),
        "key_resp.rt": outcome.seconds,
        "key_resp.rt_last": time_from_last(line),
        **({} if line.trial.answers else {"key_resp.rt_first_letter": time_of_first_letter(line)}),
        "missed": outcome.answer is None,
        "response": outcome.answer,
        "correct_response": line.trial.correct,
        "interrupted": outcome.interrupted,
        "timing_verified": outcome.timing_verified,
    }


def _session_columns(session: JournalSession, part: SessionPart) -> dict[str, Any]:
    software, release = part.presenter
    return {
        "participant": session.participant.label,
        "session": session.participant.session,
        "group": session.header.group,
        "date": part.begin.started.strftime("%Y-%m-%d_%Hh%M.%S"),  # as PsychoPy writes it
        "expName": session.experiment,
        "observer": part.observer,
        "psychopyVersion": release if software == "PsychoPy" else None,
        "stimgenVersion": part.begin.versions.get("stimgen"),
        "frameRate": part.refresh_hz,
    }
