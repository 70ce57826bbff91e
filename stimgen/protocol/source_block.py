"""Writes the ``sources`` of a protocol for pictures that were looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import PurePath

from stimgen.images.picture_inspection import PictureInspection
from stimgen.images.prepare import SMALLEST, USUAL_SIDE
from stimgen.protocol.patterns import has_wildcard
from stimgen.reading.document import CONTROL_CHARACTERS
from stimgen.reading.errors import make_printable

LONGEST_NAME = 500


class SourceBlock:
    """Lists pictures as a protocol does: by patterns where all pictures of a folder and ending are alike.

    Pictures that a protocol would refuse are left out, with the reason in a comment.
    """

    def __init__(self, pictures: Sequence[PictureInspection], side: int) -> None:
        self._pictures, self._side = pictures, side

    def format(self) -> str:
        """Return the block, in YAML."""
        lines = [] if self._side == USUAL_SIDE else [f"preparation: {{size: {self._side}}}"]
        entries = list(self._list_entries())
        left_out = [f"# left out: {_name(picture)}: {why}" for picture, why in self._reasons.items()]
        if not entries:
            return "\n".join([*left_out, "# no picture is left"])
        return "\n".join([*lines, "sources:", *(f"  - {{{entry}}}" for entry in entries), *left_out])

    def _list_entries(self) -> Iterator[str]:
        for (folder, ending), pictures in self._groups.items():
            settings = {_format_settings(picture) for picture in pictures}
            whole = not any(picture in self._reasons for picture in pictures) and len(settings) == 1
            if whole and len(pictures) > 1 and not has_wildcard(folder):
                pattern = f"{folder}/*{ending}" if folder != "." else f"*{ending}"
                yield f"file: {_quote(pattern)}{settings.pop()}"
                continue
            for picture in pictures:
                if picture not in self._reasons:
                    yield f"file: {_quote(picture.file)}{_format_settings(picture)}"

    @cached_property
    def _groups(self) -> dict[tuple[str, str], list[PictureInspection]]:
        """Return the pictures by folder and ending, whose case makes no difference."""
        found: dict[tuple[str, str], list[PictureInspection]] = {}
        for picture in self._pictures:
            path = PurePath(picture.file)
            found.setdefault((path.parent.as_posix(), path.suffix.lower()), []).append(picture)
        return found

    @cached_property
    def _reasons(self) -> dict[PictureInspection, str]:
        """Return why pictures are left out."""
        found: dict[PictureInspection, str] = {}
        seen: dict[str, PictureInspection] = {}
        for picture in self._pictures:
            first = seen.setdefault(picture.pixels_sha256 or picture.file, picture)
            reason = self._find_reason(picture)
            if reason is None and first is not picture:
                reason = f"the same pixels as {_name(first)}"
            if reason is not None:
                found[picture] = reason
        return found

    def _find_reason(self, picture: PictureInspection) -> str | None:
        if picture.problem is not None:
            return make_printable(picture.problem)
        if (
            CONTROL_CHARACTERS.search(picture.file)
            or "\n" in picture.file
            or len(picture.file) > LONGEST_NAME
        ):
            return "a protocol cannot write this name: rename the file"
        shorter = min(picture.width or 0, picture.height or 0)
        if shorter < max(self._side, SMALLEST):
            return f"{picture.width} x {picture.height} pixels are fewer than {self._side} x {self._side}"
        return "nothing of it is opaque" if picture.luminance is None else None


def _format_settings(picture: PictureInspection) -> str:
    mask = ", mask: alpha" if picture.transparent else ""
    return mask + (", frame: 1" if picture.frames and picture.frames > 1 else "")


def _name(picture: PictureInspection) -> str:
    return make_printable(picture.file).replace("\n", " ")


def _quote(text: str) -> str:
    """Return text in double quotes, as JSON and YAML write it."""
    return json.dumps(text, ensure_ascii=False)
