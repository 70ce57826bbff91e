"""Who takes part: asked for in a dialog, where the command does not say."""

from __future__ import annotations

from dataclasses import dataclass

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.form import check_form
from stimgen.experiment.presentation.psychopy_dialog import ask_fields
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.reading.errors import StimgenError

PARTICIPANT, SESSION = "participant", "session"


@dataclass(frozen=True)
class DialogAnswers:
    """What was answered.

    Attributes
    ----------
    person : Participant
        Who it is.
    form : dict
        The participant's form, field to answer.
    """

    person: Participant
    form: dict[str, str]


def ask_participant(
    loaded: LoadedExperiment, folder: DataFolder, known: dict[str, str], *, resume: bool = False
) -> DialogAnswers:
    """Ask for participant, session and the form's fields, again until they can be accepted.

    Parameters
    ----------
    loaded : LoadedExperiment
        Names the fields.
    folder : DataFolder
        Where sessions lie that exist.
    known : dict
        What stands in the fields at first: session, and answers of the form.
    resume : bool
        Whether the session is one that exists.

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
            person = Participant(said[PARTICIPANT], said[SESSION])
            if not resume:
                folder.refuse_existing(person, experiment.name)
            return DialogAnswers(person, check_form(fields[2:], {field: said[field] for field in fields[2:]}))
        except StimgenError as error:
            problem = str(error)
    raise StimgenError("cancelled: nothing was begun")
