"""Writes the ``sources`` of a protocol for pictures that were looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import PurePath

from stimgen.images.picture_look import PictureLook
from stimgen.images.prepare import SMALLEST, USUAL_SIDE
from stimgen.protocol.patterns import has_wildcard
from stimgen.reading.document import CONTROL_CHARACTERS
from stimgen.reading.errors import make_printable

LONGEST_NAME = 500


class SourceBlock:
    """Lists pictures as a protocol does: by patterns where all pictures of a folder and ending are alike.

    Pictures that a protocol would refuse are left out, with the reason in a comment.
    """

    def __init__(self, looks: Sequence[PictureLook], side: int) -> None:
        self._looks, self._side = looks, side

    def format(self) -> str:
        """Return the block, in YAML."""
        lines = [] if self._side == USUAL_SIDE else [f"preparation: {{size: {self._side}}}"]
        entries = list(self._list_entries())
        left_out = [f"# left out: {_name(look)}: {why}" for look, why in self._reasons.items()]
        if not entries:
            return "\n".join([*left_out, "# no picture is left"])
        return "\n".join([*lines, "sources:", *(f"  - {{{entry}}}" for entry in entries), *left_out])

    def _list_entries(self) -> Iterator[str]:
        for (folder, ending), looks in self._groups.items():
            settings = {_format_settings(look) for look in looks}
            whole = not any(look in self._reasons for look in looks) and len(settings) == 1
            if whole and len(looks) > 1 and not has_wildcard(folder):
                pattern = f"{folder}/*{ending}" if folder != "." else f"*{ending}"
                yield f"file: {_quote(pattern)}{settings.pop()}"
                continue
            for look in looks:
                if look not in self._reasons:
                    yield f"file: {_quote(look.file)}{_format_settings(look)}"

    @cached_property
    def _groups(self) -> dict[tuple[str, str], list[PictureLook]]:
        """Return the pictures by folder and ending, whose case makes no difference."""
        found: dict[tuple[str, str], list[PictureLook]] = {}
        for look in self._looks:
            path = PurePath(look.file)
            found.setdefault((path.parent.as_posix(), path.suffix.lower()), []).append(look)
        return found

    @cached_property
    def _reasons(self) -> dict[PictureLook, str]:
        """Return why pictures are left out."""
        found: dict[PictureLook, str] = {}
        seen: dict[str, PictureLook] = {}
        for look in self._looks:
            first = seen.setdefault(look.pixels_sha256 or look.file, look)
            reason = self._find_reason(look)
            if reason is None and first is not look:
                reason = f"the same pixels as {_name(first)}"
            if reason is not None:
                found[look] = reason
        return found

    def _find_reason(self, look: PictureLook) -> str | None:
        if look.problem is not None:
            return make_printable(look.problem)
        if CONTROL_CHARACTERS.search(look.file) or "\n" in look.file or len(look.file) > LONGEST_NAME:
            return "a protocol cannot write this name: rename the file"
        shorter = min(look.width or 0, look.height or 0)
        if shorter < max(self._side, SMALLEST):
            return f"{look.width} x {look.height} pixels are fewer than {self._side} x {self._side}"
        return "nothing of it is opaque" if look.luminance is None else None


def _format_settings(look: PictureLook) -> str:
    mask = ", mask: alpha" if look.transparent else ""
    return mask + (", frame: 1" if look.frames and look.frames > 1 else "")


def _name(look: PictureLook) -> str:
    return make_printable(look.file).replace("\n", " ")


def _quote(text: str) -> str:
    """Return text in double quotes, as JSON and YAML write it."""
    return json.dumps(text, ensure_ascii=False)
