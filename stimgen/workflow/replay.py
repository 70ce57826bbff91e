"""Draw a trial of a journal again, and compare it with what was shown."""

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
    """A frame that was drawn.

    Attributes
    ----------
    file : Path
        The picture of the whole screen.
    sha256 : str
        Hash of the frame, as in journals.
    recorded : str or None
        Hash of the frame that was shown; None where an observer saw none.
    agrees : bool or None
        Whether they are the same.
    """

    file: Path
    sha256: str
    recorded: str | None
    agrees: bool | None


@dataclass(frozen=True)
class ReplayedTrial:
    """A trial that was drawn.

    Attributes
    ----------
    journal : Path
        The journal.
    trial : int
        Its number, from 1, practice included.
    frames : tuple of ReplayedFrame
        One for each phase.
    versions : dict
        Of what draws, where they are others than when the trial was shown: both, by name.
    """

    journal: Path
    trial: int
    frames: tuple[ReplayedFrame, ...]
    versions: dict[str, tuple[str, str]]

    @property
    def agrees(self) -> bool:
        """Whether no frame differs from what was shown."""
        return all(frame.agrees is not False for frame in self.frames)

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "journal": str(self.journal),
            "trial": self.trial,
            "agrees": self.agrees,
            "frames": [{**frame._asdict(), "file": str(frame.file)} for frame in self.frames],
            "versions": {name: {"then": then, "now": now} for name, (then, now) in self.versions.items()},
        }

    def text(self) -> str:
        """Return it in a few lines."""
        lines = [f"{frame.file}: {_VERDICTS[frame.agrees]}" for frame in self.frames]
        if not self.agrees:
            lines += [f"{name} was {then}, and is {now} here" for name, (then, now) in self.versions.items()]
        return "\n".join(lines)


_VERDICTS = {
    True: "is what was shown, to the pixel",
    False: "is not what was shown",
    None: "was not shown to anybody; the journal has no hash of it",
}
DRAWING_PACKAGES = ("stimgen", "numpy", "pillow")


def replay_trial(
    journal: Path, number: int, stimuli: tuple[Path, ...] = (), output: Path | None = None
) -> ReplayedTrial:
    """Draw the frames of a trial as PNG files.

    Parameters
    ----------
    journal : Path
        Of a session.
    number : int
        Of the trial in the session, from 1, practice included.
    stimuli : tuple of Path
        The sets; by default those that the experiment names, in the current folder.
    output : Path, optional
        Where files are written; by default ``replay/JOURNAL_trial-NUMBER``.

    Raises
    ------
    StimgenError
        There is no such journal, trial, set or picture, or it is damaged; nothing was written then.
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
    interval = "" if frame.phase.interval is None else f"_{frame.phase.interval}"
    return f"{number:02}_{frame.phase.kind}{interval}.png"


def _compare_versions(then: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    now = {name: metadata.version(name) for name in DRAWING_PACKAGES}
    return {name: (then[name], here) for name, here in now.items() if then.get(name, here) != here}
