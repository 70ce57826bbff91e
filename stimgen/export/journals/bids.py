"""Writes behavioural data in BIDS 1.11: events with what was shown and answered, and the pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from stimgen.experiment.design.decision_model import find_decision_model
from stimgen.experiment.schema.load import parse_experiment
from stimgen.export.columns import MISSING, format_tsv
from stimgen.export.csv_style import CsvStyle
from stimgen.export.event_columns import event_columns
from stimgen.export.events import event_rows
from stimgen.export.participants import ParticipantTable
from stimgen.export.sessions import JournalSession, SessionPart
from stimgen.export.sets.bids_names import STIMULI
from stimgen.export.shown_pictures import ShownPictures
from stimgen.export.thresholds import THRESHOLD_COLUMNS, threshold_rows
from stimgen.reading.atomic import write_atomically
from stimgen.reading.document import parse_document
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.store import json_bytes

BIDS_VERSION = "1.11.0"
PARTICIPANTS = "participants.tsv"
OURS = re.compile(
    r"dataset_description\.json|participants\.(tsv|json)|README|stimuli/.+"
    r"|sub-[A-Za-z0-9]+/ses-[A-Za-z0-9]+/beh/[^/]+_(events|beh)\.(tsv|json)"
)
RRID = {"PsychoPy": "RRID:SCR_006571"}


def write(sessions: Iterable[JournalSession], folder: Path, pictures: ShownPictures, style: CsvStyle) -> None:
    """Write a BIDS dataset, as `JournalFormat.write` says; BIDS says how its tables are written."""
    del style
    participants = ParticipantTable()
    tasks: dict[str, str] = {}
    for session in sessions:
        label = task_label(session.experiment)
        if tasks.setdefault(label, session.experiment) != session.experiment:
            raise StimgenError(
                f"the experiments {tasks[label]!r} and {session.experiment!r} are both task-{label} in BIDS",
                hint="keep their data in different folders",
            )
        participants.add(session)
        _write_session(session, folder, pictures)
    experiments = ", ".join(sorted(tasks.values()))
    columns, rows = participants.build()
    _write(folder / PARTICIPANTS, format_tsv(columns, rows))
    _write(folder / "participants.json", json_bytes({one.name: one.to_sidecar() for one in columns}))
    _write(folder / "dataset_description.json", json_bytes(_describe_dataset(experiments)))
    _write(folder / "README", README.format(tasks=experiments).encode("utf-8"))


def task_label(experiment: str) -> str:
    """Return an experiment's name without the characters that BIDS does not allow in labels."""
    return re.sub(r"[^A-Za-z0-9]", "", experiment)


def _write_session(session: JournalSession, folder: Path, pictures: ShownPictures) -> None:
    participant = session.participant
    place = folder / f"sub-{participant.label}/ses-{participant.session}/beh"
    columns = event_columns(session.parts, session.exclusions)
    described = {column.name: column.to_sidecar() for column in columns}
    for run, part in enumerate(session.parts, 1):
        entity = f"_run-{run}" if len(session.parts) > 1 else ""
        name = f"{session.stem}_task-{task_label(session.experiment)}{entity}_events"
        rows = event_rows(
            part, lambda shown: pictures.copy(shown, session, folder / STIMULI), session.exclusions
        )
        _write(place / f"{name}.tsv", format_tsv(columns, rows))
        _write(place / f"{name}.json", json_bytes({**_describe_run(session, part), **described}))
    if session.thresholds:
        _write_thresholds(session, place)


def _write_thresholds(session: JournalSession, place: Path) -> None:
    """Write the thresholds of an adaptive schedule as a table of behaviour, one row per track."""
    name = f"{session.stem}_task-{task_label(session.experiment)}_beh"
    described = {column.name: column.to_sidecar() for column in THRESHOLD_COLUMNS}
    about = {
        "TaskName": session.experiment,
        "Instructions": session.instructions or MISSING,
        "TaskDescription": f"Thresholds of the adaptive tracks of the experiment {session.experiment}.",
    }
    _write(place / f"{name}.tsv", format_tsv(THRESHOLD_COLUMNS, threshold_rows(session)))
    _write(place / f"{name}.json", json_bytes({**about, **described}))


def _describe_run(session: JournalSession, part: SessionPart) -> dict[str, Any]:
    """Return what the sidecar says about the whole run."""
    header = session.header
    return {
        "TaskName": session.experiment,
        "TaskDescription": f"The experiment {session.experiment}, run by stimgen.",
        "Instructions": session.instructions or MISSING,
        "StimulusPresentation": _describe_presentation(part),
        "StimgenExperimentSHA256": header.experiment.sha256,
        "StimgenSets": [{"protocol": used.protocol, "plan_sha256": used.plan_sha256} for used in header.sets],
        "StimgenSeed": header.seed,
        "StimgenGroup": header.group or MISSING,
        "StimgenLanguage": header.language or MISSING,
        "StimgenKeys": header.keys,
        "StimgenDecision": _describe_decision(header.experiment.text),
        "StimgenTimingVerified": part.begin.display.measured.get("timing_verified") is True,
    }


@cache
def _describe_decision(experiment: str) -> dict[str, Any] | str:
    """Return the task, rule and numbers that d' depends on, so that an analysis need not be told them."""
    with suppress(StimgenError):
        loaded = parse_experiment(parse_document(experiment, Path("experiment")))
        model = find_decision_model(loaded.experiment.paradigm)
        if model is not None:
            return asdict(model)
    return MISSING


def _describe_presentation(part: SessionPart) -> dict[str, Any]:
    """Return what is known of BIDS' `StimulusPresentation`, in metres and hertz."""
    viewing, versions, (software, release) = part.begin.display.viewing, part.begin.versions, part.presenter
    (width, height), wide, far = viewing.resolution, viewing.width_cm, viewing.distance_cm
    found: dict[str, Any] = {
        "OperatingSystem": versions.get("system", MISSING),
        "ScreenDistance": far / 100 if far is not None else MISSING,
        "ScreenRefreshRate": part.refresh_hz or viewing.refresh_hz,
        "ScreenResolution": [width, height],
        "SoftwareName": software,
        "SoftwareVersion": release,
        "StimgenVersion": versions.get("stimgen", MISSING),
        "PixelsPerDegree": round(viewing.pixels_per_degree, 6),
    }
    if wide is not None:
        found["ScreenSize"] = [round(wide / 100, 6), round(wide / 100 * height / width, 6)]
    if software in RRID:
        found["SoftwareRRID"] = RRID[software]
    return found


def _describe_dataset(experiments: str) -> dict[str, Any]:
    return {
        "Name": experiments or "no sessions",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "stimgen", "Version": version("stimgen")}],
    }


def _write(file: Path, data: bytes) -> None:
    with write_atomically(file) as stream:
        stream.write(data)


README = """\
Behavioural data of the experiment: {tasks}

`stimgen tabulate` wrote this folder from the journals of the sessions, and overwrites it when it is run
again. Edit a copy, not this folder.

Each file *_events.tsv has a row for every picture that was shown, and a row for the response; the rows of
one trial have the same trial_index. Onsets are in seconds from the beginning of the run, practice included;
onset_from_start counts from the signal that started the main trials, such as a scanner's, or from their
beginning. A session that was interrupted has several runs, each with its own clock. The pictures are in the
folder stimuli, and stim_file is their name in it; crop_left, crop_top, crop_width and crop_height tell which
part of a picture was shown. A file *_beh.tsv has the thresholds of an adaptive schedule. The JSON file of the
same name describes the columns of a table.

Participants are opaque labels. Their answers to the form are kept apart from the trials, and are in
participants.tsv only if they were asked for by name.
"""
