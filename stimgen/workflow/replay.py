"""Draws the frames of a recorded trial again, and compares them with those that were shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from stimgen.experiment.journal.replay import JournalReplay, RedrawnFrame
from stimgen.experiment.pictures.pictures import PictureFiles
from stimgen.images.write import encode_png
from stimgen.reading.files import make_folder, write_file
from stimgen.stimulus_set.store import Store


class ReplayedFrame(NamedTuple):
    """Represents a frame that was drawn again.

    `recorded` is the hash of the frame that was shown, and `agrees` says whether it equals `sha256`; both are
    None if no frame was shown.
    """

    file: Path
    sha256: str
    recorded: str | None
    agrees: bool | None


@dataclass(frozen=True)
class ReplayedTrial:
    """Represents a trial whose frames were drawn again, one for each phase and question.

    `versions` gives, for packages that have changed since the session, the version then and now.
    """

    journal: Path
    trial: int
    frames: tuple[ReplayedFrame, ...]
    versions: dict[str, tuple[str, str]]

    @property
    def agrees(self) -> bool:
        """Return whether every frame equals the one that was shown, if one was."""
        return all(frame.agrees is not False for frame in self.frames)

    def to_dict(self) -> dict[str, Any]:
        """Return the trial as JSON values."""
        return {
            "journal": str(self.journal),
            "trial": self.trial,
            "agrees": self.agrees,
            "frames": [{**frame._asdict(), "file": str(frame.file)} for frame in self.frames],
            "versions": {name: {"then": then, "now": now} for name, (then, now) in self.versions.items()},
        }


DRAWING_PACKAGES = ("stimgen", "numpy", "pillow")


def replay_trial(
    journal: Path, number: int, stimuli: tuple[Path, ...] = (), output: Path | None = None
) -> ReplayedTrial:
    """Write the frames of a trial as PNG files, and compare them with those that were shown.

    Trials are counted from 1, with practice. The sets are by default those that the experiment names, in the
    current folder; `output` is by default ``replay/JOURNAL_trial-NUMBER``.

    Raises
    ------
    StimgenError
        The journal, the trial, a set or a picture does not exist or is damaged; nothing was written then.
    """
    found = JournalReplay.from_journal(journal)
    line = found.find_trial(number)
    stores = tuple(Store.open(folder) for folder in found.find_set_folders(stimuli))
    frames = list(found.redraw(line, PictureFiles(stores)))
    folder = make_folder(output or Path("replay") / f"{journal.stem}_trial-{number}")
    encoding = found.loaded.experiment.display.encoding
    drawn = []
    for i, frame in enumerate(frames, 1):
        file = folder / _format_file_name(i, frame)
        write_file(file, encode_png(frame.frame.canvas(), encoding))
        drawn.append(ReplayedFrame(file, frame.frame.sha256, frame.recorded, frame.agrees))
    return ReplayedTrial(journal, number, tuple(drawn), _compare_versions(found.recorded.header.versions))


def _format_file_name(number: int, frame: RedrawnFrame) -> str:
    return f"{number:02}_{frame.name}.png"


def _compare_versions(then: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    now = {name: metadata.version(name) for name in DRAWING_PACKAGES}
    return {name: (then[name], here) for name, here in now.items() if then.get(name, here) != here}
