"""Runs one session of an experiment, or the rest of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.frames.page_pictures import load_page_pictures
from stimgen.experiment.journal.data_folder import CSV, DataFolder
from stimgen.experiment.journal.form import check_form, write_form
from stimgen.experiment.journal.header import (
    HUMAN_OBSERVER,
    JournalHeader,
    RecordedDisplay,
    RecordedExperiment,
    RecordedObserver,
    RecordedViewing,
)
from stimgen.experiment.journal.journal import Journal, RecordedSession
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.monitor import find_gamma
from stimgen.experiment.session.observers import ObserverContext, make_observer
from stimgen.experiment.session.session import Session, TrialCallback, format_current_time
from stimgen.experiment.trials.keys import assign_keys
from stimgen.experiment.trials.procedure import AnsweredTrial, SessionProcedure
from stimgen.export.journals.csv import write_session_table
from stimgen.export.sessions import read_session
from stimgen.reading.errors import StimgenError
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.resume import read_interrupted_session, record_pictures, refuse_changed_pictures
from stimgen.workflow.session_outcome import SessionOutcome
from stimgen.workflow.versions import read_versions
from stimgen.workflow.withdraw import finish_withdrawals


@dataclass(frozen=True)
class RunOptions:
    """Says how to run a session; the attributes are the options of `stimgen run`."""

    observer: str = "psychopy"
    stimuli: tuple[Path, ...] = ()
    data: Path | None = None
    windowed: bool = False
    resume: bool = False
    language: str | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    def find_data_folder(self, loaded: LoadedExperiment) -> Path:
        """Return the folder of the data of an experiment; rehearsals have one of their own."""
        usual = "data" if self.observer == HUMAN_OBSERVER else "rehearsal"
        return self.data or Path(usual) / loaded.experiment.name


def run_session(
    prepared: PreparedExperiment,
    participant: Participant,
    options: RunOptions,
    report: TrialCallback | None = None,
) -> SessionOutcome:
    """Run a session, or the rest of it.

    Raises
    ------
    StimgenError
        The session exists already, nothing is left to resume, or something does not fit the experiment.
        Nothing was shown then.
    """
    prepared, participant = prepared.choose_group(participant)
    loaded = prepared.loaded
    folder = DataFolder(options.find_data_folder(loaded))
    file = folder.journal_file(participant, loaded.experiment.name)
    finish_withdrawals(folder.folder)
    before = read_interrupted_session(prepared, file, options.observer) if options.resume else None
    folder.refuse_other_observers(options.observer)
    if before is None:
        folder.refuse_existing(participant, loaded.experiment.name)
    form = _check_form(prepared, folder.form_file(participant), options)
    language = before.header.language if before else prepared.choose_language(options.language)
    procedure = prepared.build_procedure(participant, language)
    context = _build_context(prepared, procedure, participant, options, language)
    if before is not None:
        refuse_changed_pictures(before.header, record_pictures(context.pictures), file)
    # Where the file describes the observer, errors name the place.
    described = (options.observer,) if options.observer in type(loaded.experiment).model_fields else None
    with loaded.at(*described) if described else nullcontext():
        observer = make_observer(options.observer, context)
    history = [
        AnsweredTrial(line.trial, line.correct, missed=line.outcome.answer is None)
        for line in (before.trials if before else ())
    ]
    try:
        measured = observer.begin()
        if form:
            write_form(folder.form_file(participant), participant, form)
        with _open_journal(file, before, _build_header(prepared, context, options, measured)) as journal:
            session = Session(procedure, prepared.frames, observer, journal, history, options.observer)
            complete = session.run(report)
    finally:
        observer.end()
    outcome = SessionOutcome.of(file, procedure, session.history, complete=complete)
    return replace(outcome, problem=_write_table(folder, file))


def _write_table(folder: DataFolder, journal: Path) -> str | None:
    """Write the session's CSV file, as users of PsychoPy expect; return why it could not be written."""
    try:
        write_session_table(read_session(journal), folder.folder / CSV)
    except StimgenError as error:
        return (
            "the journal is complete, but its table could not be written; retry later with "
            f"stimgen tabulate {folder.folder}\n  {error}"
        )
    return None


def _check_form(prepared: PreparedExperiment, file: Path, options: RunOptions) -> dict[str, str]:
    """Return the form's answers to store: none for a simulated observer, or if they are stored already.

    Raises
    ------
    StimgenError
        A person's answers are missing, or some belong to no field of the form.
    """
    asked = prepared.loaded.experiment.participant.form
    known = options.observer != "psychopy" or (options.resume and file.is_file())
    return {} if known and not options.form else check_form(asked, options.form)


def _build_context(
    prepared: PreparedExperiment,
    procedure: SessionProcedure,
    participant: Participant,
    options: RunOptions,
    language: str | None,
) -> ObserverContext:
    experiment = prepared.loaded.experiment
    return ObserverContext(
        experiment=experiment,
        participant=participant,
        pool=prepared.pool,
        viewing=prepared.viewing,
        frames=prepared.frames,
        keys=assign_keys(experiment, participant),
        texts=procedure.texts,
        pictures=load_page_pictures(prepared.loaded, procedure.texts),
        language=language,
        windowed=options.windowed,
        gamma=find_gamma(experiment.display, prepared.loaded.folder),
    )


def _open_journal(file: Path, before: RecordedSession | None, header: JournalHeader) -> Journal:
    """Return a new journal; or the interrupted one, after appending what may differ in this run."""
    if before is None:
        return Journal.create(file, header.to_dict())
    journal = Journal.resume(file)
    resumed = {"event": "resumed", "time": format_current_time(), **header.start().to_dict()}
    journal.append("event", resumed)
    return journal


def _build_header(
    prepared: PreparedExperiment, context: ObserverContext, options: RunOptions, measured: dict[str, Any]
) -> JournalHeader:
    loaded, participant = prepared.loaded, context.participant
    settings = getattr(loaded.experiment, options.observer, None)
    return JournalHeader(
        experiment=RecordedExperiment.from_loaded(loaded),
        participant=participant.label,
        session=participant.session,
        group=prepared.group,
        language=prepared.choose_language(options.language),
        observer=RecordedObserver(
            name=options.observer, settings=settings.to_dict() if settings is not None else {}
        ),
        keys={answer: list(keys) for answer, keys in context.keys.items()},
        display=RecordedDisplay(
            declared=loaded.experiment.display.to_dict(),
            viewing=RecordedViewing(**prepared.viewing.to_dict()),
            measured=measured,
        ),
        sets=prepared.pool.sets,
        seed=loaded.experiment.seed,
        notes=prepared.pool.notes,
        pictures=record_pictures(context.pictures),
        versions=read_versions(),
        started=datetime.now(UTC),
    )
