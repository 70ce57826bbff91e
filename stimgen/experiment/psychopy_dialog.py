"""PsychoPy's dialog, in which a participant is named."""

from __future__ import annotations

from collections.abc import Sequence

from stimgen.experiment.psychopy_part import part


def ask_form(title: str, fields: Sequence[str]) -> dict[str, str] | None:
    """Ask for fields in a dialog; None where it was cancelled.

    Raises
    ------
    StimgenError
        There is no display, or no dialogs.
    """
    answers = dict.fromkeys(fields, "")
    dialog = part("gui").DlgFromDict(answers, title=title, sortKeys=False)
    return {name: str(answer) for name, answer in answers.items()} if dialog.OK else None
