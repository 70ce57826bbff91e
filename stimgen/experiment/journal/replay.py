"""A trial drawn again from nothing but its line of a journal, the journal's header and the pictures.

The journal may be a stranger's: everything in it is checked before it is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from stimgen.experiment.design.trial import Phase, Trial
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.frames.placing import box_on_screen
from stimgen.experiment.frames.renderer import FrameRenderer
from stimgen.experiment.journal.journal import RecordedSession, RecordedTrial
from stimgen.experiment.pictures.pictures import PictureFiles
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.experiment.trials.crops import is_inside
from stimgen.experiment.trials.screen_checks import check_aperture, check_marks
from stimgen.reading.errors import StimgenError

MOST_PHASES = 100


class RedrawnFrame(NamedTuple):
    """A phase of a trial, drawn again.

    Attributes
    ----------
    phase : Phase
        What it is.
    frame : Frame
        The screen.
    recorded : str or None
        Hash of the frame that was shown; None where an observer saw none.
    """

    phase: Phase
    frame: Frame
    recorded: str | None

    @property
    def agrees(self) -> bool | None:
        """Whether the frame is the one that was shown; None where none was."""
        return None if self.recorded is None else self.recorded == self.frame.sha256


@dataclass(frozen=True)
class JournalReplay:
    """What trials of a journal are drawn with.

    Attributes
    ----------
    file : Path
        The journal.
    recorded : RecordedSession
        What it holds.
    loaded : LoadedExperiment
        The experiment, from the journal's header.
    viewing : ViewingGeometry
        The screen, from the same.
    """

    file: Path
    recorded: RecordedSession
    loaded: LoadedExperiment
    viewing: ViewingGeometry

    @classmethod
    def of(cls, recorded: RecordedSession, file: Path) -> JournalReplay:
        """Return what trials are drawn with.

        Raises
        ------
        StimgenError
            The header has no experiment and no screen, or none that can be accepted.
        """
        header = recorded.header
        loaded, viewing = header.experiment.load(file), header.display.viewing.geometry()
        check_marks(loaded, viewing)
        return cls(file, recorded, loaded, viewing)

    def line(self, number: int) -> RecordedTrial:
        """Return the line of a trial.

        Raises
        ------
        StimgenError
            There is no such trial.
        """
        for line in self.recorded.trials:
            if line.trial.index == number:
                return line
        known = [line.trial.index for line in self.recorded.trials]
        raise StimgenError(
            f"there is no trial {number}; "
            + (f"there are {min(known)} to {max(known)}" if known else "there is none at all"),
            where=self.file,
        )

    def frames(self, line: RecordedTrial, pictures: PictureFiles) -> Iterator[RedrawnFrame]:
        """Yield the frames of a trial, one for each phase.

        Raises
        ------
        StimgenError
            Pictures are missing or others, or something does not lie where it can be drawn.
        """
        trial, shots = line.trial, line.outcome.shots
        if not 0 < len(trial.phases) <= MOST_PHASES or len(shots) not in (0, len(trial.phases)):
            raise StimgenError(
                f"trial {trial.index} has {len(trial.phases)} phases, and {len(shots)} of them were shown",
                where=self.file,
            )
        try:
            self._check(trial, pictures)
        except StimgenError as error:
            raise error.add_location(self.file) from None
        maker = FrameRenderer(self.loaded.experiment, pictures, self.viewing)
        hashes = [shot.frame_sha256 for shot in shots] or [None] * len(trial.phases)
        for phase, frame, recorded in zip(trial.phases, maker.render_trial(trial), hashes, strict=True):
            yield RedrawnFrame(phase, frame, recorded)

    def _check(self, trial: Trial, pictures: PictureFiles) -> None:
        """Refuse what lies outside of the screen, or of a picture."""
        screen = (0, 0, *self.viewing.resolution)
        for phase in trial.phases:
            boxes = [*phase.mask, *(box_on_screen(self.viewing, shown) for shown in phase.shown)]
            if not all(is_inside(box, screen) for box in boxes):
                raise StimgenError(f"trial {trial.index} shows something that does not lie on the screen")
            for shown in phase.shown:
                height, width = pictures.pixels(shown).shape[:2]
                if not is_inside(shown.crop, (0, 0, width, height)):
                    raise StimgenError(f"trial {trial.index} shows a part that {shown.file} does not have")
                check_aperture(self.loaded.experiment, shown.crop[2:])


def find_set_folders(replay: JournalReplay, folders: Sequence[Path]) -> list[Path]:
    """Return the folders of the sets that pictures were taken from.

    Parameters
    ----------
    replay : JournalReplay
        Of a journal.
    folders : sequence of Path
        The user's; without any, those that the experiment names, in the current folder. A journal may be a
        stranger's, so that no name in it leads out of there.

    Raises
    ------
    StimgenError
        There are not as many as were used, or a name leads elsewhere.
    """
    names = replay.loaded.experiment.stimuli.sets
    found = list(folders) or [Path(name) for name in names]
    used = len(replay.recorded.header.sets)
    if len(found) != used:
        raise StimgenError(
            f"the session took pictures from {used} sets, and {len(found)} are named",
            where=replay.file,
            hint="name as many with --stimuli, in the same order",
        )
    if not folders and any(name.is_absolute() or ".." in name.parts for name in found):
        raise StimgenError(
            "the journal names sets that do not lie in the current folder",
            where=replay.file,
            hint="name their folders with --stimuli",
        )
    return found
