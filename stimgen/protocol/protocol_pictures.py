"""Which pictures a condition is made from, and compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.planned_source import PlannedSource
from stimgen.reading.errors import StimgenError


@dataclass(frozen=True)
class ProtocolPictures:
    """All pictures of a protocol.

    Attributes
    ----------
    sources : sequence of PlannedSource
        Those that stimuli are made from.
    references : sequence of PlannedSource
        Those that targets may name beside the sources.
    root : Path or None
        A folder that they may lie in, beside the protocol's own.
    """

    sources: Sequence[PlannedSource]
    references: Sequence[PlannedSource]
    root: Path | None

    def select_sources(self, loaded: LoadedProtocol, i: int) -> Sequence[PlannedSource]:
        """Return the sources of condition `i`, in the protocol's order.

        Raises
        ------
        StimgenError
            It names one that there is not.
        """
        wanted = loaded.protocol.conditions[i].sources
        if wanted is None:
            return self.sources
        known = [source.id for source in self.sources]
        for j, name in enumerate(wanted):
            if name not in known:
                where = loaded.document.where(("conditions", i, "sources", j))
                raise StimgenError(f"there is no source {name!r}", where=where, given=name, allowed=known)
        return [source for source in self.sources if source.id in wanted]

    def select_pictures(
        self, loaded: LoadedProtocol, i: int, sources: Sequence[PlannedSource]
    ) -> tuple[PlannedSource, ...]:
        """Return the pictures that the targets of condition `i` name.

        Raises
        ------
        StimgenError
            There is no such picture, or it has not the size of each of the condition's sources.
        """
        known = {picture.id: picture for picture in (*self.sources, *self.references)}
        where = loaded.document.where(("conditions", i))
        found = []
        for name in loaded.protocol.conditions[i].resolved_method.pictures:
            if name not in known:
                raise StimgenError(
                    f"there is no picture {name!r} for the target",
                    where=where,
                    given=name,
                    allowed=list(known),
                    hint="list it under `references`",
                )
            found.append(known[name])
            _check_size(known[name], sources, loaded, i)
        return tuple(found)


def _check_size(
    picture: PlannedSource, sources: Sequence[PlannedSource], loaded: LoadedProtocol, i: int
) -> None:
    for source in sources:
        if source.shape != picture.shape:
            raise StimgenError(
                f"the target {picture.id!r} has {_describe_shape(picture)}, "
                f"the source {source.id!r} {_describe_shape(source)}"
                ": they must be alike",
                where=loaded.document.where(("conditions", i)),
                hint="say `crop`, `size` and `channels` in `preparation`",
            )


def _describe_shape(picture: PlannedSource) -> str:
    height, width, channels = picture.shape
    return f"{width} x {height} pixels {'in grey' if channels == 1 else 'in colour'}"
