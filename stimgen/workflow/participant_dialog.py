"""Who takes part: asked for in a dialog, where the command does not say."""

from __future__ import annotations

from dataclasses import dataclass

from stimgen.experiment.design.decisions import Person
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.form import checked_form
from stimgen.experiment.presentation.psychopy_dialog import ask
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.reading.errors import StimgenError

PARTICIPANT, SESSION = "participant", "session"


@dataclass(frozen=True)
class Asked:
    """What was answered.

    Attributes
    ----------
    person : Person
        Who it is.
    form : dict
        The participant's form, field to answer.
    """

    person: Person
    form: dict[str, str]


def ask_person(
    loaded: LoadedExperiment, folder: DataFolder, known: dict[str, str], *, resume: bool = False
) -> Asked:
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
    while (answers := ask(experiment.title or experiment.name, said, problem)) is not None:
        said = {field: answer.strip() for field, answer in answers.items()}
        try:
            person = Person(said[PARTICIPANT], said[SESSION])
            if not resume:
                folder.refuse_existing(person, experiment.name)
            return Asked(person, checked_form(fields[2:], {field: said[field] for field in fields[2:]}))
        except StimgenError as error:
            problem = str(error)
    raise StimgenError("cancelled: nothing was begun")
