"""Draws a trial again from its line of a journal, the journal's header and the pictures.

The journal may come from a stranger: everything in it is checked before it is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from stimgen.experiment.design.questions.scale import SLIDER_END
from stimgen.experiment.design.trial import FurtherAnswer, Phase, Trial
from stimgen.experiment.frames.cue_marks import cue_box
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.frames.placing import box_on_screen
from stimgen.experiment.frames.renderer import FrameRenderer
from stimgen.experiment.journal.journal import RecordedSession, RecordedTrial, read_journal
from stimgen.experiment.pictures.pictures import PictureFiles
from stimgen.experiment.schema.group_selection import select_group
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.experiment.trials.crops import is_inside
from stimgen.experiment.trials.screen_checks import check_aperture, check_marks
from stimgen.reading.errors import StimgenError, make_printable

MOST_PHASES = 100


class RedrawnFrame(NamedTuple):
    """Represents a phase of a trial, or a question after it, that was drawn again."""

    name: str
    """The phase and the number of its interval, or the question, such as ``stimulus_1``."""
    frame: Frame
    """Of a question, what was behind its texts when it was answered."""
    recorded: str | None
    """Hash of the frame that was shown; None if the observer saw none."""

    @property
    def agrees(self) -> bool | None:
        """Return whether the frame is the one that was shown; None if none was."""
        return None if self.recorded is None else self.recorded == self.frame.sha256


@dataclass(frozen=True)
class JournalReplay:
    """Holds a journal with the experiment and the screen of its header."""

    file: Path
    recorded: RecordedSession
    loaded: LoadedExperiment
    viewing: ViewingGeometry

    @classmethod
    def from_journal(cls, file: Path) -> JournalReplay:
        """Return the replay of a journal.

        Raises `StimgenError` if the journal is damaged, or the experiment or the screen in its header is not
        valid.
        """
        recorded = read_journal(file)
        header = recorded.header
        loaded = select_group(header.experiment.load(file), header.group)
        viewing = header.display.viewing.geometry()
        check_marks(loaded, viewing)
        return cls(file, recorded, loaded, viewing)

    def find_trial(self, number: int) -> RecordedTrial:
        """Return the trial of this number, or raise StimgenError if there is none."""
        for line in self.recorded.trials:
            if line.trial.index == number:
                return line
        known = [line.trial.index for line in self.recorded.trials]
        known_text = f"there are {min(known)} to {max(known)}" if known else "the journal has no trials"
        raise StimgenError(f"there is no trial {number}; {known_text}", where=self.file)

    def find_set_folders(self, folders: Sequence[Path]) -> list[Path]:
        """Return the folders of the sets that the pictures were taken from.

        Without `folders`, they are those that the experiment names, in the current folder. As the journal may
        come from a stranger, no name in it may lead elsewhere.

        Raises `StimgenError` if the number of folders is not that of the sets in use, or a name leads out of
        the current folder.
        """
        found = list(folders) or [Path(name) for name in self.loaded.experiment.stimuli.sets]
        used = len(self.recorded.header.sets)
        if len(found) != used:
            raise StimgenError(
                f"the session took pictures from {used} sets, but {len(found)} are named",
                where=self.file,
                hint="name as many with --stimuli, in the same order",
            )
        if not folders and any(name.is_absolute() or ".." in name.parts for name in found):
            raise StimgenError(
                "the journal names sets that are not in the current folder",
                where=self.file,
                hint="name their folders with --stimuli",
            )
        return found

    def redraw(self, line: RecordedTrial, pictures: PictureFiles) -> Iterator[RedrawnFrame]:
        """Yield the frames of a trial, one for each phase.

        Raises `StimgenError` if pictures are missing or were changed, or something cannot be drawn where the
        trial says.
        """
        trial, shots = line.trial, line.outcome.shots
        if not 0 < len(trial.phases) <= MOST_PHASES or len(shots) not in (0, len(trial.phases)):
            raise StimgenError(
                f"trial {trial.index} has {len(trial.phases)} phases, and {len(shots)} of them were shown",
                where=self.file,
            )
        try:
            self._check_boxes(trial, pictures)
        except StimgenError as error:
            raise error.add_location(self.file) from None
        renderer = FrameRenderer(self.loaded.experiment, pictures, self.viewing)
        hashes = [shot.frame_sha256 for shot in shots] or [None] * len(trial.phases)
        for phase, frame, recorded in zip(trial.phases, renderer.render_trial(trial), hashes, strict=True):
            yield RedrawnFrame(_name_phase(phase), frame, recorded)
        for answer in line.outcome.further:
            yield self._redraw_question(renderer, answer)

    def _redraw_question(self, renderer: FrameRenderer, answer: FurtherAnswer) -> RedrawnFrame:
        question = next((one for one in self.loaded.experiment.questions if one.key == answer.question), None)
        if question is None:
            raise StimgenError(
                f"the experiment has no question {make_printable(answer.question, 80)!r}", where=self.file
            )
        is_slider, value = question.input_kind == "slider", None
        if is_slider and answer.presses:
            value = _read_slider_value(answer.presses[-1].answer)
        frame = renderer.render_question(slider=is_slider, value=value)
        return RedrawnFrame(f"question_{question.key}", frame, answer.frame_sha256)

    def _check_boxes(self, trial: Trial, pictures: PictureFiles) -> None:
        """Refuse what lies outside of the screen or of a picture."""
        screen = (0, 0, *self.viewing.resolution)
        for phase in trial.phases:
            pictures_shown = [*phase.shown, *(cover.picture for cover in phase.covers)]
            boxes = [*phase.mask, *(box_on_screen(self.viewing, shown) for shown in pictures_shown)]
            boxes += [cue_box(mark, self.viewing.resolution) for mark in phase.cues]
            if not all(is_inside(box, screen) for box in boxes):
                raise StimgenError(f"trial {trial.index} shows something that does not lie on the screen")
            for shown in pictures_shown:
                height, width = pictures.pixels(shown).shape[:2]
                if not is_inside(shown.crop, (0, 0, width, height)):
                    raise StimgenError(f"trial {trial.index} shows a part that {shown.file} does not have")
                check_aperture(self.loaded.experiment, shown.crop[2:])


def _name_phase(phase: Phase) -> str:
    return phase.kind if phase.interval is None else f"{phase.kind}_{phase.interval}"


def _read_slider_value(text: str) -> int | None:
    """Return where a slider's mark was; None for what is no place on it, which is then not drawn."""
    value = int(text) if text.isdecimal() and len(text) <= len(str(SLIDER_END)) else -1
    return value if 0 <= value <= SLIDER_END else None
