"""From an experiment to the course of a session: what all commands about experiments begin with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.frames.renderer import FrameRenderer
from stimgen.experiment.pictures.pool import PicturePool, open_pool
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.session_flow import Instructions
from stimgen.experiment.schema.viewing import ViewingGeometry, compute_viewing
from stimgen.experiment.trials.builder import TrialBuilder
from stimgen.experiment.trials.checks import check_experiment
from stimgen.experiment.trials.design import build_design, build_practice_design
from stimgen.experiment.trials.keys import assign_keys, check_keys
from stimgen.experiment.trials.procedure import SessionProcedure
from stimgen.reading.errors import StimgenError


@dataclass(frozen=True)
class PreparedExperiment:
    """An experiment with its pictures and its screen, checked: the same for all participants.

    Attributes
    ----------
    loaded : LoadedExperiment
        The experiment.
    pool : PicturePool
        The pictures that take part.
    viewing : ViewingGeometry
        The screen.
    """

    loaded: LoadedExperiment
    pool: PicturePool
    viewing: ViewingGeometry

    @classmethod
    def of(cls, loaded: LoadedExperiment, stimuli: tuple[Path, ...] = ()) -> PreparedExperiment:
        """Return the room of an experiment, with its own sets or with others.

        Raises
        ------
        StimgenError
            A picture, the screen or a duration does not suit the experiment.
        """
        with loaded.at("display"):
            viewing = compute_viewing(loaded.experiment.display, loaded.folder)
        pool = open_pool(loaded, stimuli or None)
        check_experiment(loaded, pool, viewing)
        return cls(loaded, pool, viewing)

    @property
    def frames(self) -> FrameRenderer:
        """What trials look like."""
        return FrameRenderer(self.loaded.experiment, self.pool, self.viewing)

    def course(self, person: Participant, language: str | None = None) -> SessionProcedure:
        """Return the course of one participant's session.

        Raises
        ------
        StimgenError
            The schedule cannot be followed, keys collide, or there are no instructions in the language.
        """
        experiment = self.loaded.experiment
        design = build_design(self.loaded, self.pool, person)
        with self.loaded.at("schedule"):
            experiment.schedule.check(design)
        with self.loaded.at("responses"):
            check_keys(experiment, assign_keys(experiment, person))
        practice = build_practice_design(self.loaded, self.pool, person) if experiment.practice else None
        composer = TrialBuilder(experiment, self.pool, self.viewing, person, design.level)
        return SessionProcedure(experiment, composer, design, practice, self.texts(language))

    def language(self, wanted: str | None) -> str | None:
        """Return the language of the session: the one that is wanted, or the experiment's first.

        Raises
        ------
        StimgenError
            There are no instructions in it.
        """
        known = self.loaded.experiment.instructions
        if wanted is not None and wanted not in known:
            raise StimgenError(
                f"there are no instructions in the language {wanted!r}", given=wanted, allowed=list(known)
            )
        return wanted or next(iter(known), None)

    def texts(self, language: str | None) -> Instructions:
        """Return the instructions in a language; none where the experiment has none."""
        chosen = self.language(language)
        return Instructions() if chosen is None else self.loaded.experiment.instructions[chosen]
