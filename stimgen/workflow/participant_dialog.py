"""Asks for the participant in a dialog."""

from __future__ import annotations

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.form import check_form
from stimgen.experiment.presentation.psychopy_dialog import ask_fields
from stimgen.experiment.schema.group_selection import assign_group
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.reading.errors import StimgenError

PARTICIPANT, SESSION = "participant", "session"


def ask_participant(
    loaded: LoadedExperiment, folder: DataFolder, known: dict[str, str], *, resume: bool = False
) -> tuple[Participant, dict[str, str]]:
    """Ask for the participant, the session and the form, until the answers are valid; return them.

    `known` fills the fields at first. With `resume` the session may exist already.

    Raises
    ------
    StimgenError
        The dialog was cancelled, or cannot be shown.
    """
    experiment = loaded.experiment
    fields = (PARTICIPANT, SESSION, *experiment.participant.form)
    said, problem = {field: known.get(field, "") for field in fields}, ""
    while (answers := ask_fields(experiment.title or experiment.name, said, problem)) is not None:
        said = {field: answer.strip() for field, answer in answers.items()}
        try:
            participant = Participant(said[PARTICIPANT], said[SESSION])
            if experiment.groups:
                assign_group(experiment.groups, participant)
            if not resume:
                folder.refuse_existing(participant, experiment.name)
            return participant, check_form(fields[2:], {field: said[field] for field in fields[2:]})
        except StimgenError as error:
            problem = str(error)
    raise StimgenError("the dialog was cancelled: no session was started and no file was written")
