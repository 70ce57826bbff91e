"""Runs the sessions of a study: of one participant, or of many simulated observers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.equipment.psychopy_part import has_display
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.schema.groups import list_group_labels
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.reading.errors import StimgenError
from stimgen.workflow.participant_dialog import ask_participant
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.session_outcome import SessionOutcome


class SessionId(NamedTuple):
    """Names a session; without a participant, a dialog asks for one."""

    participant: str | None
    session: str


def run_study(
    loaded: LoadedExperiment, session_id: SessionId, participants: int | None, options: RunOptions
) -> Iterator[SessionOutcome]:
    """Run one participant's session, or one session of each of several simulated observers.

    Without a participant in `session_id`, a dialog asks for participant, session and form; this needs a
    display and the observer ``psychopy``. `participants` is the number of simulated observers, labelled
    01, 02, ...

    Raises
    ------
    StimgenError
        The arguments contradict each other; otherwise as `run_session`.
    """
    session = session_id.session
    named = _list_participants(loaded, session_id, participants, options)
    prepared = PreparedExperiment.prepare(loaded, options.stimuli)
    if not named:
        folder = DataFolder(options.find_data_folder(loaded))
        known = {"session": session, **options.form}
        participant, form = ask_participant(loaded, folder, known, resume=options.resume)
        named, options = [participant], replace(options, form=form)
    for participant in named:
        yield run_session(prepared, participant, options)


def _list_participants(
    loaded: LoadedExperiment, session_id: SessionId, participants: int | None, options: RunOptions
) -> list[Participant]:
    """Return the participants that the arguments name; none if a dialog is to ask."""
    label, session = session_id
    if participants is None:
        if label is not None:
            return [Participant(label, session)]
        if options.observer == "psychopy" and has_display():
            return []
        raise StimgenError("no participant is named", hint="name one, for example --participant 01")
    if label is not None or options.observer == "psychopy":
        raise StimgenError(
            "--participants needs a simulated observer and excludes --participant",
            hint="choose one with --observer simulated or --observer model",
        )
    if options.form:
        raise StimgenError("--form belongs to one participant, but --participants runs several")
    return [Participant(name, session) for name in list_group_labels(loaded.experiment.groups, participants)]
