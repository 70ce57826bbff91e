"""Defines the options of `stimgen match`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stimgen.images.light import Encoding
from stimgen.images.matching import SetMatching
from stimgen.images.write import Bits
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Flag

FOLDER_OPTIONS = ("bits", "encoding", "grey", "masks")


class MatchOptions(SetMatching):
    """Says what is matched across the pictures of a folder, and how they are read and written."""

    bits: Bits = 8
    """Bits of a value in the PNG files; 16 only for grey pictures."""
    encoding: Encoding = "srgb"
    """What the values of the files mean, both of those that are read and of those that are written."""
    grey: Flag = False
    """Whether colour pictures become grey."""
    masks: Path | None = None
    """Folder with a picture for every picture, of the same name: white where pictures are matched."""

    @property
    def settings(self) -> SetMatching:
        """Return what is matched."""
        return SetMatching(**{name: getattr(self, name) for name in SetMatching.model_fields})

    def for_set(self) -> SetMatching:
        """Return what is matched; refuse, by `StimgenError`, options that only folders of pictures have."""
        for name in FOLDER_OPTIONS:
            if getattr(self, name) != type(self).model_fields[name].default:
                raise StimgenError(f"--{name}: a stimulus set says that itself", hint="leave the option out")
        return self.settings


def read_match_options(**given: Any) -> MatchOptions:
    """Return the options; those that are None have their defaults.

    Raises `StimgenError`, which names the option on the command line, for a value that is not allowed.
    """
    try:
        return MatchOptions.model_validate({key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        details = error.errors()[0]
        context = details.get("ctx", {})
        name = str(context.get("at") or (details["loc"] or ("",))[0])
        raise StimgenError(
            f"--{name}: {context.get('message', details['msg'])}, not {given.get(name)!r}",
            hint=context.get("hint"),
        ) from None
