"""Builds trials from decisions: which pictures, which parts of them, where, and for how many frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stimgen.experiment.design.decisions import LevelScale, Participant, TrialDecision
from stimgen.experiment.design.paradigms.base import Pairing, PictureSlot
from stimgen.experiment.design.trial import ORIGINAL, Box, ShownPicture, Trial
from stimgen.experiment.frames.placing import position_on_screen, size_on_screen
from stimgen.experiment.pictures.pictures import SetPicture
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.experiment.trials.crops import draw_crops
from stimgen.experiment.trials.exemplars import (
    PictureKey,
    identify_picture,
    list_syntheses,
    rotate_seeds,
)
from stimgen.experiment.trials.mask_builder import MaskBuilder
from stimgen.experiment.trials.phases import DurationCounter, PhaseBuilder
from stimgen.reading.random_numbers import RandomStream
from stimgen.stimulus_set.factors import join_factors


@dataclass(frozen=True)
class TrialBuilder:
    """Builds the trials of a participant; the same decision gives the same trial."""

    experiment: Experiment
    pool: PicturePool
    viewing: ViewingGeometry
    participant: Participant
    level: LevelScale | None = None
    """The schedule's level, whose number is recorded."""

    def build(
        self,
        decision: TrialDecision,
        index: int,
        number: int,
        *,
        practice: bool = False,
        catch: str | None = None,
    ) -> Trial:
        """Return the trial of a decision that has a value for every factor.

        `index` counts all trials of the session from 1, `number` only the main trials, or only those of
        practice, or of one kind of catch trials, which `catch` names. Crops are drawn by `number`, so that
        the main trials are the same however often the practice is repeated.
        """
        arrangement = self.experiment.paradigm.arrange(decision, self._find_pairing(decision))
        slots = [slot for interval in arrangement.intervals for slot in interval]
        kind = ("catch", catch) if catch is not None else ("practice",) if practice else ()
        stream = RandomStream(*self._key, *(kind or ("pictures",)), number)
        pictures = self._choose_pictures(slots, decision)
        crops = draw_crops(self.experiment.stimuli, slots, pictures, stream)
        conditions = [self._find_cell(slot, decision)[1] for slot in slots]
        shown = [self._show(*part) for part in zip(slots, pictures, crops, conditions, strict=True)]
        left = iter(shown)
        phases = self._plan_phases(decision, number, shown, kind or ("main",))
        return Trial(
            index=index,
            block=decision.block,
            practice=practice,
            catch=catch,
            track=decision.track,
            levels=dict(decision.levels),
            number=self._find_number(decision),
            signal=decision.signal,
            source=decision.source,
            source_factors=join_factors(self.pool.source_factors(picture.source) for picture in pictures),
            balanced=dict(decision.balanced),
            phases=phases.list_phases([[next(left) for _ in interval] for interval in arrangement.intervals]),
            answers=self.experiment.paradigm.answers(),
            correct=arrangement.correct,
            between_trials=phases.draw_between_trials(),
        )

    @property
    def _key(self) -> tuple[str | int, ...]:
        """Return the key of the participant's random numbers."""
        experiment, participant = self.experiment, self.participant
        return "experiment", experiment.name, experiment.seed, participant.label, participant.session

    def _plan_phases(
        self, decision: TrialDecision, number: int, shown: Sequence[ShownPicture], kind: tuple[str, ...]
    ) -> PhaseBuilder:
        experiment = self.experiment
        hz, tolerance = self.viewing.refresh_hz, experiment.timing.tolerance_ms
        durations = DurationCounter(hz, tolerance, (*self._key, "durations", *kind, number))
        ids = frozenset(picture.id for picture in shown)
        pool = self._find_pool(decision)
        masks = MaskBuilder(pool, experiment.stimuli.crop, (*self._key, "masks", *kind, number), ids)
        levels = {**decision.levels, **decision.balanced}
        return PhaseBuilder(experiment, self.viewing, durations, masks, levels)

    def _find_pool(self, decision: TrialDecision) -> PicturePool:
        """Return the pictures of the trial's set, if sets are told apart."""
        label = decision.levels.get("set")
        return self.pool if label is None else self.pool.select_set(str(label))

    def _find_number(self, decision: TrialDecision) -> float | None:
        if self.level is None or (decision.signal is False and self.level.factor == "condition"):
            return None  # nobody can see the condition of an original
        # Practice and catch trials may have conditions or durations of their own, which have no number.
        numbers = dict(zip(self.level.values, self.level.numbers, strict=True))
        return numbers.get(decision.levels[self.level.factor])

    def _find_pairing(self, decision: TrialDecision) -> Pairing:
        pairings = self.experiment.stimuli.meet
        return next((pairing for pairing in pairings if pairing == decision.levels.get("meet")), pairings[0])

    def _choose_pictures(self, slots: Sequence[PictureSlot], decision: TrialDecision) -> list[SetPicture]:
        settings, pool = self.experiment.stimuli, self._find_pool(decision)
        cells = [self._find_cell(slot, decision) for slot in slots]
        seeds: dict[PictureKey, int] = {}
        for cell in dict.fromkeys(cells):
            own = [slot for slot, other in zip(slots, cells, strict=True) if other == cell]
            syntheses = list_syntheses(settings, own)
            chosen = rotate_seeds(pool.seeds(*cell), decision.exemplar, len(syntheses))
            seeds.update(zip(syntheses, chosen, strict=True))
        return [
            pool.original(*cell)
            if slot.role == ORIGINAL
            else pool.synthesis(*cell, seeds[identify_picture(settings, slot)])
            for slot, cell in zip(slots, cells, strict=True)
        ]

    def _find_cell(self, slot: PictureSlot, decision: TrialDecision) -> tuple[str, str]:
        """Return source and condition of a slot's picture."""
        source, condition = slot.source or decision.source, slot.condition or decision.levels.get("condition")
        if condition is None:
            # An original in a trial of several conditions is the one that the first of them was made for.
            condition = next(name for one, name in self.pool.cells if one == source)
        return source, str(condition)

    def _show(self, slot: PictureSlot, picture: SetPicture, crop: Box, condition: str) -> ShownPicture:
        size = size_on_screen(self.experiment.display, self.viewing, (crop[2], crop[3]))
        position = position_on_screen(self.viewing, slot.place, size)
        degrees, extent = self.viewing.degrees(*position), self.viewing.extent(position, size)
        return ShownPicture(
            set=picture.set,
            id=picture.id,
            file=picture.file,
            sha256=picture.sha256,
            role=slot.role,
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
