"""Run a session of an experiment, or go on with one; or a whole study of simulated observers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stimgen.experiment.design.decisions import Participant, participant_labels
from stimgen.experiment.equipment.psychopy_part import has_display
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.form import check_form, write_form
from stimgen.experiment.journal.header import (
    JournalHeader,
    RecordedDisplay,
    RecordedExperiment,
    RecordedObserver,
    RecordedViewing,
)
from stimgen.experiment.journal.journal import Journal, RecordedSession, has_header, read_journal
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.session.observers import ObserverContext, make_observer
from stimgen.experiment.session.session import Session, TrialCallback, format_current_time
from stimgen.experiment.trials.keys import assign_keys
from stimgen.experiment.trials.procedure import AnsweredTrial, SessionProcedure
from stimgen.reading.errors import StimgenError
from stimgen.workflow.participant_dialog import ask_participant
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.tabulate import tabulate_session
from stimgen.workflow.versions import read_versions
from stimgen.workflow.withdraw import finish_withdrawals


@dataclass(frozen=True)
class RunOptions:
    """How a session is run.

    Attributes
    ----------
    observer : str
        Who answers.
    stimuli : tuple of Path
        Folders of sets, instead of those that the experiment names.
    data : Path or None
        Where journals are kept; ``data/NAME`` where it is left out.
    windowed : bool
        In a window instead of the full screen.
    resume : bool
        Go on with a session that was interrupted.
    language : str or None
        Of the instructions.
    form : mapping
        The participant's form, field to answer; kept apart from the trials.
    """

    observer: str = "psychopy"
    stimuli: tuple[Path, ...] = ()
    data: Path | None = None
    windowed: bool = False
    resume: bool = False
    language: str | None = None
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SessionOutcome:
    """How a session ended.

    Attributes
    ----------
    journal : Path
        Its journal.
    complete : bool
        Whether all trials were answered.
    trials : int
        How many count.
    correct : float or None
        Proportion correct of those that were answered.
    summary : dict
        What an adaptive schedule found.
    problem : str or None
        Why there is no table of the session, which changes nothing of the journal.
    """

    journal: Path
    complete: bool
    trials: int
    correct: float | None
    summary: dict[str, Any]
    problem: str | None = None

    def text(self) -> str:
        """Return it in a few lines."""
        state = "complete" if self.complete else "not complete: go on with --resume"
        score = "" if self.correct is None else f", {self.correct:.1%} correct"
        found = [f"  {name}: {_format_values(values)}" for name, values in self.summary.items()]
        return "\n".join([f"{self.journal}: {self.trials} trials{score}; {state}", *found])


def _format_values(values: Mapping[str, Any]) -> str:
    """Return what was found of a track in words, without the places of numbers that nobody needs."""
    return ", ".join(
        f"{name} {'none' if value is None else f'{value:.4g}'}" for name, value in values.items()
    )


def default_data_folder(loaded: LoadedExperiment) -> Path:
    """Return where data are kept unless another folder is named."""
    return Path("data") / loaded.experiment.name


def run_study(
    loaded: LoadedExperiment, who: tuple[str | None, str], participants: int | None, options: RunOptions
) -> Iterator[SessionOutcome]:
    """Run a session, or the sessions of several simulated participants one after the other.

    Parameters
    ----------
    loaded : LoadedExperiment
        The experiment.
    who : tuple
        Labels of participant and session. Without a participant, a dialog asks for both and for the form,
        where a person is to answer and there is a display.
    participants : int or None
        How many simulated participants, 01, 02, ..., instead of the one named.
    options : RunOptions
        How they are run.

    Raises
    ------
    StimgenError
        As `run_session`; a study of persons.
    """
    label, session = who
    if participants is not None and (label is not None or options.observer == "psychopy"):
        raise StimgenError("--participants is for simulated and model observers, without --participant")
    if participants is None and label is None and not (options.observer == "psychopy" and has_display()):
        raise StimgenError("who is it? name the participant with --participant, such as 01")
    if participants is not None and options.form:
        raise StimgenError("--form is one participant's, and --participants are several")
    persons = _list_participants(label, session, participants)
    room = PreparedExperiment.of(loaded, options.stimuli)
    if not persons:
        folder = DataFolder(options.data or default_data_folder(loaded))
        known = {"session": session, **options.form}
        asked = ask_participant(loaded, folder, known, resume=options.resume)
        persons, options = [asked.person], replace(options, form=asked.form)
    for person in persons:
        yield run_session(room, person, options)


def _list_participants(label: str | None, session: str, participants: int | None) -> list[Participant]:
    """Return who takes part, as far as it is said."""
    if participants is None:
        return [] if label is None else [Participant(label, session)]
    return [Participant(label, session) for label in participant_labels(participants)]


def run_session(
    room: PreparedExperiment, person: Participant, options: RunOptions, report: TrialCallback | None = None
) -> SessionOutcome:
    """Run a session, or what is left of it.

    Raises
    ------
    StimgenError
        The session exists, there is nothing to go on with, or something does not suit the experiment; nothing
        was shown then.
    """
    loaded = room.loaded
    folder = DataFolder(options.data or default_data_folder(loaded))
    file = folder.journal_file(person, loaded.experiment.name)
    finish_withdrawals(folder.folder)
    before = _read_previous(room, file) if options.resume and _has_begun(file) else None
    if before is None:
        folder.refuse_existing(person, loaded.experiment.name)
    form = _check_form(room, folder.form_file(person), options)
    language = before.header.language if before else room.language(options.language)
    course = room.course(person, language)
    setting = _build_setting(room, course, person, options)
    observer = make_observer(options.observer, setting)
    try:
        measured = observer.begin()
        if form:
            write_form(folder.form_file(person), person, form)
        with _open_journal(file, before, _build_header(room, setting, options, measured)) as journal:
            session = Session(course, room.frames, observer, journal, _restore_history(before))
            complete = session.run(report)
    finally:
        observer.end()
    ended = _compute_outcome(course, file, session.history, complete=complete)
    return replace(ended, problem=_write_table(folder, file))


def _write_table(folder: DataFolder, journal: Path) -> str | None:
    """Write the session's CSV, as PsychoPy's users expect it; return why it could not be."""
    try:
        tabulate_session(folder.folder, journal)
    except StimgenError as error:
        return f"the table could not be written, the journal is whole; later: stimgen tabulate\n  {error}"
    return None


def _check_form(room: PreparedExperiment, file: Path, options: RunOptions) -> dict[str, str]:
    """Return the answers to keep: none where nobody is asked, or where they were given before.

    Raises
    ------
    StimgenError
        A person's are missing, or there are others than are asked for.
    """
    asked = room.loaded.experiment.participant.form
    known = options.observer != "psychopy" or (options.resume and file.is_file())
    return {} if known and not options.form else check_form(asked, options.form)


def _read_previous(room: PreparedExperiment, file: Path) -> RecordedSession:
    """Return what was recorded of a session that is to go on.

    Raises
    ------
    StimgenError
        There is none, it is complete, or the experiment or its pictures are others now.
    """
    recorded = read_journal(file)
    if recorded.complete:
        raise StimgenError("this session is complete: there is nothing to go on with", where=file)
    if recorded.header.experiment.sha256 != room.loaded.sha256:
        raise StimgenError(
            "the experiment was changed since this session began",
            where=room.loaded.document.file,
            hint="go on with the file as it was (the journal has its text), or begin another session",
        )
    if recorded.header.sets != room.pool.sets:
        raise StimgenError(
            "the stimulus sets are others than when this session began",
            where=file,
            hint="name the same sets with --stimuli, or begin another session",
        )
    return recorded


def _has_begun(file: Path) -> bool:
    """Return whether there is something to go on with; else the session begins, it was cut off so early.

    Raises
    ------
    StimgenError
        There is no such session.
    """
    if not file.is_file():
        known = [one.name for one in sorted(file.parent.glob("*.jsonl"))]
        raise StimgenError("there is no such session to go on with", where=file, allowed=known)
    return has_header(file)


def _build_setting(
    room: PreparedExperiment, course: SessionProcedure, person: Participant, options: RunOptions
) -> ObserverContext:
    experiment = room.loaded.experiment
    return ObserverContext(
        experiment=experiment,
        person=person,
        pool=room.pool,
        viewing=room.viewing,
        frames=room.frames,
        keys=assign_keys(experiment, person),
        texts=course.texts,
        windowed=options.windowed,
    )


def _open_journal(file: Path, before: RecordedSession | None, header: JournalHeader) -> Journal:
    """Return a new journal, or the one of before, to which what changed since then is appended."""
    if before is None:
        return Journal.create(file, header.to_dict())
    journal = Journal.resume(file)
    resumed = {"event": "resumed", "time": format_current_time(), **header.start().to_dict()}
    journal.append("event", resumed)
    return journal


def _build_header(
    room: PreparedExperiment, setting: ObserverContext, options: RunOptions, measured: dict[str, Any]
) -> JournalHeader:
    loaded, person = room.loaded, setting.person
    settings = getattr(loaded.experiment, options.observer, None)
    return JournalHeader(
        experiment=RecordedExperiment.from_loaded(loaded),
        participant=person.participant,
        session=person.session,
        language=room.language(options.language),
        observer=RecordedObserver(
            name=options.observer, settings=settings.to_dict() if settings is not None else {}
        ),
        keys={answer: list(keys) for answer, keys in setting.keys.items()},
        display=RecordedDisplay(
            declared=loaded.experiment.display.to_dict(),
            viewing=RecordedViewing(**room.viewing.to_dict()),
            measured=measured,
        ),
        sets=room.pool.sets,
        seed=loaded.experiment.seed,
        notes=room.pool.notes,
        versions=read_versions(),
        started=datetime.now(UTC),
    )


def _restore_history(before: RecordedSession | None) -> list[AnsweredTrial]:
    return [AnsweredTrial(line.trial, line.correct) for line in before.trials] if before else []


def _compute_outcome(
    course: SessionProcedure, file: Path, history: list[AnsweredTrial], *, complete: bool
) -> SessionOutcome:
    counting = [one for one in history if not one.trial.practice]
    answered = [one.correct for one in counting if one.correct is not None]
    correct = sum(answered) / len(answered) if answered else None
    return SessionOutcome(file, complete, len(counting), correct, course.summary(history))
