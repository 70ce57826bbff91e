"""Reads files of pictures. Every group of formats is one file."""

from __future__ import annotations

from functools import cache

from stimgen.images.readers.base import EncodedPicture, PictureReader
from stimgen.reading.errors import StimgenError
from stimgen.reading.registry import Family

READERS = Family("format of pictures", PictureReader, default="photograph")


def find_reader(picture: EncodedPicture) -> PictureReader:
    """Return the reader that recognises the file's bytes; the ending of its name does not matter.

    Raises `StimgenError`, with the formats that can be read, if none does.
    """
    for member in _list_readers():
        reader = member.model_validate({})
        if reader.recognises(picture.data):
            return reader
    raise StimgenError(
        "not an image that can be read, or damaged",
        where=picture.file,
        allowed=list_formats(),
        hint=_suggest_other_program(picture.data),
    )


def list_formats() -> list[str]:
    """Return the names of all formats that can be read."""
    return [form for member in _list_readers() for form in member.formats]


@cache
def list_endings() -> tuple[str, ...]:
    """Return the endings of file names, in lower case, of pictures."""
    return tuple(e for member in _list_readers() if not member.holds_data for e in member.endings)


@cache
def list_data_endings() -> tuple[str, ...]:
    """Return the endings of file names, in lower case, of arrays, of which only some are pictures."""
    return tuple(e for member in _list_readers() if member.holds_data for e in member.endings)


def _list_readers() -> list[type[PictureReader]]:
    return [cls for cls in READERS.members.values() if issubclass(cls, PictureReader)]


# First bytes of formats that other programs turn into pictures, with what to do.
UNREADABLE = {
    b"8BPS": "this is a Photoshop document: export it as PNG or TIFF",
    b"%PDF": "this is a PDF: export the picture as PNG or TIFF",
    b"%!PS": "this is PostScript: export the picture as PNG or TIFF",
    b"v/1\x01": "this is OpenEXR: export it as a float TIFF and say its `range`",
    b"\xff\x0a": "this is JPEG XL: export it as PNG",
    b"\0\0\0\x0cJXL ": "this is JPEG XL: export it as PNG",
    b"<svg": "this is a drawing (SVG): export it as PNG",
    b"<?xml": "this is XML, perhaps a drawing (SVG): export it as PNG",
    b"IIRO": "this is a camera's raw file: develop it and save it as PNG or TIFF",
    b"IIU\0": "this is a camera's raw file: develop it and save it as PNG or TIFF",
    b"FUJIFILMCCD-RAW": "this is a camera's raw file: develop it and save it as PNG or TIFF",
}


def _suggest_other_program(data: bytes) -> str | None:
    return next((hint for start, hint in UNREADABLE.items() if data.startswith(start)), None)
