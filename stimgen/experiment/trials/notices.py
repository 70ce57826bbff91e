"""Completes the texts between trials: their pictures, and how long breaks last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stimgen.experiment.design.trial import Notice
from stimgen.experiment.schema.session_flow import BreakSettings, Instructions


def complete_notices(
    notices: Sequence[Notice], texts: Instructions, breaks: BreakSettings | None
) -> tuple[Notice, ...]:
    """Return the notices with pictures and times, without those that show nothing.

    A break without a text is kept, because it is still a break.
    """
    completed = (complete_notice(notice, texts, breaks) for notice in notices)
    return tuple(notice for notice in completed if notice.text or notice.picture or notice.kind == "break")


def complete_notice(notice: Notice, texts: Instructions, breaks: BreakSettings | None) -> Notice:
    """Return a notice with its picture and, of a break, its shortest and longest time."""
    pictures = {str(name): file for name, file in texts.pictures.items()}
    picture = pictures.get("rest" if notice.kind == "break" else notice.kind, "")
    if notice.kind != "break" or breaks is None:
        return replace(notice, picture=picture)
    longest = None if breaks.max is None else breaks.max.seconds
    return replace(notice, picture=picture, minimum_s=breaks.min.seconds, maximum_s=longest)
