"""From what a schedule decided to a trial: which pictures, which parts, where, for how many frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stimgen.experiment.choice import Choice, Level, Person
from stimgen.experiment.crops import centred, drawn
from stimgen.experiment.display import Degrees
from stimgen.experiment.duration import Duration
from stimgen.experiment.paradigms.base import Item, Meeting, Place
from stimgen.experiment.pool import Picture, Pool
from stimgen.experiment.schema import Experiment
from stimgen.experiment.trial import ORIGINAL, Box, Phase, Shown, Trial
from stimgen.experiment.viewing import Viewing
from stimgen.reading.random_numbers import Stream

Size = tuple[int, int]


@dataclass(frozen=True)
class Composer:
    """Makes trials of choices; the same choice gives the same trial.

    Attributes
    ----------
    experiment : Experiment
        What it says.
    pool : Pool
        The pictures.
    viewing : Viewing
        The screen.
    person : Person
        Whom the trials are for.
    level : Level or None
        The schedule's level, whose number is recorded.
    """

    experiment: Experiment
    pool: Pool
    viewing: Viewing
    person: Person
    level: Level | None = None

    def trial(self, choice: Choice, index: int, among: int, *, practice: bool = False) -> Trial:
        """Return the trial.

        Parameters
        ----------
        choice : Choice
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
        crops = self._crops(items, pictures, stream)
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

    def _stream(self, *purpose: str | int) -> Stream:
        experiment, person = self.experiment, self.person
        return Stream(
            "experiment", experiment.name, experiment.seed, person.participant, person.session, *purpose
        )

    def _number(self, choice: Choice) -> float | None:
        if self.level is None:
            return None
        return self.level.numbers[self.level.values.index(choice.levels[self.level.factor])]

    def _meeting(self, choice: Choice) -> Meeting:
        meetings = self.experiment.stimuli.meet
        return next((meeting for meeting in meetings if meeting == choice.levels.get("meet")), meetings[0])

    def _pictures(self, items: Sequence[Item], choice: Choice) -> list[Picture]:
        """Return the picture of every item."""
        condition = str(choice.levels["condition"])
        kinds = synthesis_kinds(self.experiment, items)
        every = self.pool.seeds(choice.source, condition)
        seeds = dict(zip(kinds, seeds_in_turn(every, choice.exemplar, len(kinds)), strict=True))
        return [
            self.pool.original(choice.source, condition)
            if item.role == ORIGINAL
            else self.pool.synthesis(choice.source, condition, seeds[kind_of(self.experiment, item)])
            for item in items
        ]

    def _crops(self, items: Sequence[Item], pictures: Sequence[Picture], stream: Stream) -> list[Box]:
        """Return the part of every item's picture; the very same items have the very same parts."""
        settings = self.experiment.stimuli
        if settings.crop is None:
            return [(0, 0, picture.width, picture.height) for picture in pictures]
        size, area = (settings.crop.width, settings.crop.height), (pictures[0].width, pictures[0].height)
        if settings.crop.place == "centre":
            return [centred(size, area)] * len(items)
        if settings.crop.place != "random":
            return [(*settings.crop.place, *size)] * len(items)
        parts = [(item.role, 0 if settings.again == "same" else item.copy) for item in items]
        together: dict[str, list[tuple[str, int]]] = {}
        for part, picture in zip(parts, pictures, strict=True):
            group = {"never": "", "between_pictures": picture.file, "allow": str(part)}[settings.crop.overlap]
            among = together.setdefault(group, [])
            if part not in among:
                among.append(part)
        boxes: dict[tuple[str, int], Box] = {}
        for among in together.values():
            boxes.update(zip(among, drawn(len(among), size, area, stream), strict=True))
        return [boxes[part] for part in parts]

    def _shown(self, item: Item, picture: Picture, crop: Box, condition: str) -> Shown:
        size = size_on_screen(self.experiment, self.viewing, (crop[2], crop[3]))
        left, top = corner(self.viewing, item.place, size)
        width, height = self.viewing.resolution
        position = (left + size[0] / 2 - width / 2, height / 2 - top - size[1] / 2)
        degrees = self.viewing.degrees(*position)
        return Shown(
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
        )

    def _phases(self, counts: Sequence[int], shown: Sequence[Shown], choice: Choice) -> tuple[Phase, ...]:
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
        return duration.frames(self.viewing.refresh_hz, self.experiment.timing.tolerance_ms)


def kind_of(experiment: Experiment, item: Item) -> tuple[str, int]:
    """Return what tells pictures apart: another copy is another picture only where it is another seed."""
    return item.role, item.copy if experiment.stimuli.again == "seed" else 0


def synthesis_kinds(experiment: Experiment, items: Sequence[Item]) -> list[tuple[str, int]]:
    """Return the syntheses that a trial needs, each of another seed."""
    return list(dict.fromkeys(kind_of(experiment, item) for item in items if item.role != ORIGINAL))


def seeds_in_turn(every: Sequence[int], exemplar: int, count: int) -> list[int]:
    """Return `count` different seeds.

    With rising `exemplar` the first takes every seed in turn; the second is its neighbour, at a distance that
    grows with every round, so that all ordered pairs come equally often, too.

    Examples
    --------
    >>> [seeds_in_turn([1, 2, 3], i, 2) for i in range(6)]
    [[1, 2], [2, 3], [3, 1], [1, 3], [2, 1], [3, 2]]
    """
    lap, first = divmod(exemplar, len(every))
    others = len(every) - 1
    steps = [0, *(1 + (lap + i) % others for i in range(others))]
    return [every[(first + step) % len(every)] for step in steps[:count]]


def size_on_screen(experiment: Experiment, viewing: Viewing, crop: Size) -> Size:
    """Return width and height on the screen of a part of a picture."""
    wanted = experiment.display.size
    if not isinstance(wanted, Degrees):
        return crop
    width = round(viewing.pixels_wide(wanted.degrees))
    return width, round(crop[1] * width / crop[0])


def corner(viewing: Viewing, place: Place, size: Size) -> tuple[int, int]:
    """Return left and top on the screen of what is centred at a place, rounded to whole pixels, half up."""
    x, y = viewing.point(place)
    width, height = viewing.resolution
    return math.floor(width / 2 + x - size[0] / 2 + 0.5), math.floor(height / 2 - y - size[1] / 2 + 0.5)


def box_on_screen(viewing: Viewing, shown: Shown) -> Box:
    """Return left, top, width and height of a picture on the screen."""
    width, height = viewing.resolution
    left = round(shown.position[0] + width / 2 - shown.size[0] / 2)
    top = round(height / 2 - shown.position[1] - shown.size[1] / 2)
    return left, top, *shown.size
