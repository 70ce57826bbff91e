"""Defines what an experiment file can contain."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from stimgen.experiment.design.local_text import Language
from stimgen.experiment.design.paradigms import AnyParadigm
from stimgen.experiment.design.questions import AnyQuestion
from stimgen.experiment.design.schedules import AnySchedule
from stimgen.experiment.equipment.triggers import AnyTrigger
from stimgen.experiment.schema.catch_trials import CatchTrials
from stimgen.experiment.schema.display import DisplaySettings
from stimgen.experiment.schema.exclusions import ExclusionRules
from stimgen.experiment.schema.feedback import FeedbackSettings
from stimgen.experiment.schema.groups import GroupSettings, check_groups
from stimgen.experiment.schema.observer_settings import ModelObserverSettings, SimulatedObserverSettings
from stimgen.experiment.schema.session_flow import (
    BreakSettings,
    Instructions,
    ParticipantForm,
    PracticeSettings,
)
from stimgen.experiment.schema.stimuli import StimulusSettings
from stimgen.experiment.schema.stream_checks import check_stream_responses
from stimgen.experiment.schema.timing import ResponseSettings, TimingSettings
from stimgen.reading.model import Integer, Label, Model, OneOrMore, Text, TextLine, validation_error


class Experiment(Model):
    """Describes a discrimination experiment with stimulus sets."""

    name: Annotated[Text, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
    """Name of the experiment in journals and file names."""
    title: TextLine | None = None
    """Title in one line."""
    notes: Text = ""
    """Remarks, such as what follows a paper and what differs from it."""
    stimuli: StimulusSettings
    """The stimuli that are shown."""
    paradigm: AnyParadigm
    """The task."""
    schedule: AnySchedule
    """The rule that chooses the next trial."""
    display: DisplaySettings
    """The screen."""
    timing: TimingSettings = TimingSettings()
    """Durations."""
    responses: ResponseSettings = ResponseSettings()
    """How answers are given."""
    questions: Annotated[tuple[AnyQuestion, ...], Field(max_length=10), OneOrMore()] = ()
    """Further questions after the answer of a trial, such as confidence, in this order."""
    feedback: FeedbackSettings = FeedbackSettings()
    """Feedback on answers."""
    practice: PracticeSettings | None = None
    """Practice trials before the main trials."""
    catch: CatchTrials = ()
    """Catch trials between the main trials: easy ones with a known answer, which do not count."""
    exclusions: ExclusionRules | None = None
    """Rules that say which trials, and whose data, do not count."""
    breaks: BreakSettings | None = None
    """Breaks between trials."""
    instructions: dict[Language, Instructions] = Field(default_factory=dict)
    """Texts for the participant, by language; the first is used unless ``--language`` names another."""
    triggers: Annotated[tuple[AnyTrigger, ...], Field(max_length=5), OneOrMore()] = ()
    """Connections to other equipment."""
    participant: ParticipantForm = ParticipantForm()
    """Questions about the participant."""
    simulated: SimulatedObserverSettings = SimulatedObserverSettings()
    """The observer of ``--observer simulated``."""
    model: ModelObserverSettings = ModelObserverSettings()
    """The observer of ``--observer model``."""
    groups: dict[Label, GroupSettings] = Field(default_factory=dict)
    """Groups of participants, by name, who differ in conditions, sources, sets or the order of blocks."""
    seed: Annotated[Integer, Field(ge=0)] = 1
    """Seed of the lists of trials; another seed gives other lists."""

    @model_validator(mode="after")
    def _check_questions(self) -> Experiment:
        names = [question.key for question in self.questions]
        for i, name in enumerate(names):
            if name in names[:i]:
                raise validation_error(
                    f"two questions are called {name!r} in tables",
                    hint="give one of them another name with column: ...",
                    at="questions",
                )
        return self

    @model_validator(mode="after")
    def _check_pairings(self) -> Experiment:
        for pairing in self.stimuli.meet:
            if pairing not in self.paradigm.pairings:
                raise validation_error(
                    f"the paradigm {self.paradigm.name!r} does not allow meet: {pairing}",
                    allowed=sorted(self.paradigm.pairings),
                    at="stimuli",
                )
        return self

    @model_validator(mode="after")
    def _check_groups(self) -> Experiment:
        stimuli = self.stimuli
        given = {"sets": stimuli.sets, "conditions": stimuli.conditions, "sources": stimuli.sources}
        check_groups(self.groups, given, self.participant.form)
        known = type(self.schedule).model_fields
        for name, group in self.groups.items():
            for key, value in (("block_order", group.block_order), ("block_list", group.block_list)):
                if value and key not in known:
                    raise validation_error(
                        f"groups.{name}: the schedule {self.schedule.name!r} has no {key}", at="groups"
                    )
        return self

    @model_validator(mode="after")
    def _check_stream(self) -> Experiment:
        if self.paradigm.is_stream:
            check_stream_responses(self.responses)
            if self.schedule.adaptive:
                raise validation_error(
                    f"the paradigm {self.paradigm.name!r} needs schedule: constant", at="schedule"
                )
        return self

    @model_validator(mode="after")
    def _check_judgements(self) -> Experiment:
        """Refuse what needs correct answers if no answer is correct."""
        if self.paradigm.has_correct_answer:
            return self
        given = {
            ("schedule", "level"): self.schedule.adaptive or self.schedule.level is not None,
            ("feedback", "when"): self.feedback.when == "always",
            ("practice", "criterion"): self.practice is not None and self.practice.criterion is not None,
            ("breaks", "score"): self.breaks is not None
            and "score" in self.breaks.model_fields_set
            and self.breaks.score,
        }
        for (at, key), is_given in given.items():
            if is_given:
                raise validation_error(
                    f"{at}.{key} needs correct answers, but the paradigm {self.paradigm.name!r} has none",
                    at=at,
                    hint="write schedule: constant" if at == "schedule" else f"leave out {at}.{key}",
                )
        return self

    @model_validator(mode="after")
    def _check_exclusions(self) -> Experiment:
        people = self.exclusions.participants if self.exclusions else None
        if people is not None and people.catch_below is not None and not self.catch:
            raise validation_error(
                "exclusions.participants.catch_below needs catch trials",
                at="exclusions",
                hint="add catch: [{every: 20, conditions: [...]}], or leave out catch_below",
            )
        if (
            people is not None
            and people.practice_criterion
            and not (self.practice and self.practice.criterion)
        ):
            raise validation_error(
                "exclusions.participants.practice_criterion needs a practice with a criterion",
                at="exclusions",
                hint="add practice.criterion: 0.75, or leave out practice_criterion",
            )
        return self
