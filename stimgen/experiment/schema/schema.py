"""What an experiment can say."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from stimgen.experiment.design.paradigms import AnyParadigm
from stimgen.experiment.design.schedules import AnySchedule
from stimgen.experiment.equipment.triggers import AnyTrigger
from stimgen.experiment.schema.display import DisplaySettings
from stimgen.experiment.schema.observer_settings import ModelObserverSettings, SimulatedObserverSettings
from stimgen.experiment.schema.session_flow import (
    BreakSettings,
    Instructions,
    ParticipantForm,
    PracticeSettings,
)
from stimgen.experiment.schema.stimuli import StimulusSettings
from stimgen.experiment.schema.timing import FeedbackSettings, ResponseSettings, TimingSettings
from stimgen.reading.model import Integer, Model, Text, TextLine, validation_error

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class Experiment(Model):
    """A discrimination experiment with stimulus sets."""

    name: Annotated[Text, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
    """What journals and files are called by."""
    title: TextLine | None = None
    """One line for people."""
    notes: Text = ""
    """What follows a paper, and what does not."""
    stimuli: StimulusSettings
    """Which stimuli take part."""
    paradigm: AnyParadigm
    """What is asked."""
    schedule: AnySchedule
    """Which trial comes next."""
    display: DisplaySettings
    """The screen."""
    timing: TimingSettings = TimingSettings()
    """When things are shown."""
    responses: ResponseSettings = ResponseSettings()
    """How answers are given."""
    feedback: FeedbackSettings = FeedbackSettings()
    """Whether they were correct."""
    practice: PracticeSettings | None = None
    """Trials before those that count."""
    breaks: BreakSettings | None = None
    """Rests."""
    instructions: dict[Language, Instructions] = Field(default_factory=dict)
    """What is read, by language; the first is used unless ``--language`` names another."""
    triggers: Annotated[tuple[AnyTrigger, ...], Field(max_length=5)] = ()
    """Connections to other equipment."""
    participant: ParticipantForm = ParticipantForm()
    """What is asked of a participant."""
    simulated: SimulatedObserverSettings = SimulatedObserverSettings()
    """The observer of ``--observer simulated``."""
    model: ModelObserverSettings = ModelObserverSettings()
    """The observer of ``--observer model``."""
    seed: Annotated[Integer, Field(ge=0)] = 1
    """Another seed gives other lists of trials."""

    @model_validator(mode="after")
    def _check_meetings(self) -> Experiment:
        for meeting in self.stimuli.meet:
            if meeting not in self.paradigm.pairings:
                raise validation_error(
                    f"in the paradigm {self.paradigm.name!r}, {meeting!r} has no meaning",
                    allowed=sorted(self.paradigm.pairings),
                    at="stimuli",
                )
        return self
