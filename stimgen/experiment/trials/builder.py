"""From what a schedule decided to a trial: which pictures, which parts, where, for how many frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stimgen.experiment.design.decisions import LevelScale, Participant, TrialDecision
from stimgen.experiment.design.duration import Duration
from stimgen.experiment.design.paradigms.base import Pairing, PictureSlot
from stimgen.experiment.design.trial import ORIGINAL, Box, Phase, ShownPicture, Trial
from stimgen.experiment.frames.placing import box_on_screen, size_on_screen, top_left
from stimgen.experiment.pictures.pictures import SetPicture
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.experiment.trials.crops import draw_crops
from stimgen.experiment.trials.exemplars import identify_picture, list_syntheses, rotate_seeds
from stimgen.reading.random_numbers import RandomStream


@dataclass(frozen=True)
class TrialBuilder:
    """Makes trials of choices; the same choice gives the same trial.

    Attributes
    ----------
    experiment : Experiment
        What it says.
    pool : PicturePool
        The pictures.
    viewing : ViewingGeometry
        The screen.
    person : Participant
        Whom the trials are for.
    level : LevelScale or None
        The schedule's level, whose number is recorded.
    """

    experiment: Experiment
    pool: PicturePool
    viewing: ViewingGeometry
    person: Participant
    level: LevelScale | None = None

    def trial(self, choice: TrialDecision, index: int, among: int, *, practice: bool = False) -> Trial:
        """Return the trial.

        Parameters
        ----------
        choice : TrialDecision
            Every factor has its value.
        index : int
            From 1, in the session.
        among : int
            From 1, among the trials that count, or among those of practice. Crops are drawn by it, so that
            what follows a practice is the same however often that was repeated.
        practice : bool
            Whether it does not count.
        """
        meeting = self._meeting(choice)
        arranged = self.experiment.paradigm.arrange(choice, meeting)
        items = [item for interval in arranged.intervals for item in interval]
        stream = self._stream("practice" if practice else "pictures", among)
        pictures = self._pictures(items, choice)
        crops = draw_crops(self.experiment.stimuli, items, pictures, stream)
        condition = str(choice.levels["condition"])
        shown = [self._shown(*one, condition) for one in zip(items, pictures, crops, strict=True)]
        return Trial(
            index=index,
            block=choice.block,
            practice=practice,
            track=choice.track,
            levels=dict(choice.levels),
            number=self._number(choice),
            source=choice.source,
            balanced=dict(choice.balanced),
            phases=self._phases([len(interval) for interval in arranged.intervals], shown, choice),
            answers=self.experiment.paradigm.answers(),
            correct=arranged.correct,
        )

    def _stream(self, *purpose: str | int) -> RandomStream:
        experiment, person = self.experiment, self.person
        return RandomStream(
            "experiment", experiment.name, experiment.seed, person.participant, person.session, *purpose
        )

    def _number(self, choice: TrialDecision) -> float | None:
        if self.level is None:
            return None
        return self.level.numbers[self.level.values.index(choice.levels[self.level.factor])]

    def _meeting(self, choice: TrialDecision) -> Pairing:
        meetings = self.experiment.stimuli.meet
        return next((meeting for meeting in meetings if meeting == choice.levels.get("meet")), meetings[0])

    def _pictures(self, items: Sequence[PictureSlot], choice: TrialDecision) -> list[SetPicture]:
        """Return the picture of every item."""
        condition = str(choice.levels["condition"])
        kinds = list_syntheses(self.experiment.stimuli, items)
        every = self.pool.seeds(choice.source, condition)
        seeds = dict(zip(kinds, rotate_seeds(every, choice.exemplar, len(kinds)), strict=True))
        return [
            self.pool.original(choice.source, condition)
            if item.role == ORIGINAL
            else self.pool.synthesis(
                choice.source, condition, seeds[identify_picture(self.experiment.stimuli, item)]
            )
            for item in items
        ]

    def _shown(self, item: PictureSlot, picture: SetPicture, crop: Box, condition: str) -> ShownPicture:
        size = size_on_screen(self.experiment.display, self.viewing, (crop[2], crop[3]))
        left, top = top_left(self.viewing, item.place, size)
        width, height = self.viewing.resolution
        position = (left + size[0] / 2 - width / 2, height / 2 - top - size[1] / 2)
        degrees, extent = self.viewing.degrees(*position), self.viewing.extent(position, size)
        return ShownPicture(
            set=picture.set,
            id=picture.id,
            file=picture.file,
            sha256=picture.sha256,
            role=item.role,
            condition=condition,
            source=picture.source,
            seed=picture.seed,
            crop=crop,
            position=position,
            degrees=(round(degrees[0], 4), round(degrees[1], 4)),
            size=size,
            size_degrees=(round(extent[0], 4), round(extent[1], 4)),
            encoding=picture.encoding,
        )

    def _phases(
        self, counts: Sequence[int], shown: Sequence[ShownPicture], choice: TrialDecision
    ) -> tuple[Phase, ...]:
        """Return fixation and the intervals, with masks and with what is between them."""
        timing = self.experiment.timing
        duration = str(choice.levels.get("duration", timing.stimulus[0]))
        phases = [Phase(kind="fixation", frames=self._frames(timing.fixation))]
        left = list(shown)
        for number, count in enumerate(counts, 1):
            now, left = tuple(left[:count]), left[count:]
            if number > 1:
                phases.append(Phase(kind="between", frames=self._frames(timing.between)))
            frames = self._frames(Duration.model_validate(duration))
            phases.append(Phase(kind="stimulus", frames=frames, interval=number, shown=now))
            if timing.mask is not None:
                boxes = tuple(box_on_screen(self.viewing, one) for one in now)
                frames = self._frames(timing.mask.duration)
                phases.append(Phase(kind="mask", frames=frames, interval=number, mask=boxes))
        return tuple(phase for phase in phases if phase.frames > 0)

    def _frames(self, duration: Duration) -> int:
        return duration.count_frames(self.viewing.refresh_hz, self.experiment.timing.tolerance_ms)
