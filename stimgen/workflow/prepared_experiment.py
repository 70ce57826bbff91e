"""Prepares an experiment: its pictures, its screen, and the procedure of each participant's session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.frames.renderer import FrameRenderer
from stimgen.experiment.pictures.pool import PicturePool, open_pool
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.monitor import refuse_failed_monitor
from stimgen.experiment.schema.session_flow import Instructions
from stimgen.experiment.schema.viewing import ViewingGeometry, compute_viewing
from stimgen.experiment.trials.builder import TrialBuilder
from stimgen.experiment.trials.checks import check_experiment
from stimgen.experiment.trials.design import build_design
from stimgen.experiment.trials.keys import assign_keys, check_keys, check_swap
from stimgen.experiment.trials.procedure import SessionProcedure
from stimgen.experiment.trials.texts import fill_texts
from stimgen.reading.errors import StimgenError


@dataclass(frozen=True)
class PreparedExperiment:
    """Holds an experiment with its checked pictures and screen, for all participants."""

    loaded: LoadedExperiment
    pool: PicturePool
    viewing: ViewingGeometry

    @classmethod
    def prepare(cls, loaded: LoadedExperiment, stimuli: tuple[Path, ...] = ()) -> PreparedExperiment:
        """Open an experiment's sets, or the sets in `stimuli` instead, and check everything.

        Raises
        ------
        StimgenError
            A picture, the screen or a duration does not fit the experiment.
        """
        with loaded.at("display"):
            refuse_failed_monitor(loaded.experiment.display, loaded.folder)
            viewing = compute_viewing(loaded.experiment.display, loaded.folder)
        pool = open_pool(loaded, stimuli or None)
        check_experiment(loaded, pool, viewing)
        return cls(loaded, pool, viewing)

    @property
    def frames(self) -> FrameRenderer:
        """Return the renderer of the trials' frames."""
        return FrameRenderer(self.loaded.experiment, self.pool, self.viewing)

    def build_procedure(self, participant: Participant, language: str | None = None) -> SessionProcedure:
        """Return the procedure of one participant's session.

        Raises
        ------
        StimgenError
            The schedule does not fit the design, two answers share a key, or the instructions do not exist
            in the language.
        """
        experiment = self.loaded.experiment
        design = build_design(self.loaded, self.pool, participant)
        with self.loaded.at("schedule"):
            experiment.schedule.check(design)
        with self.loaded.at("responses", "swap"):
            check_swap(experiment)
        with self.loaded.at("responses"):
            check_keys(experiment, assign_keys(experiment, participant))
        practice = (
            build_design(self.loaded, self.pool, participant, practice=True) if experiment.practice else None
        )
        builder = TrialBuilder(experiment, self.pool, self.viewing, participant, design.level)
        chosen = self.choose_language(language)
        given = Instructions() if chosen is None else experiment.instructions[chosen]
        texts = fill_texts(experiment, given, assign_keys(experiment, participant))
        return SessionProcedure(experiment, builder, design, practice, texts)

    def choose_language(self, wanted: str | None) -> str | None:
        """Return the session's language: `wanted`, or the experiment's first; None without instructions.

        Raises
        ------
        StimgenError
            The experiment has no instructions in the wanted language.
        """
        known = self.loaded.experiment.instructions
        if wanted is not None and wanted not in known:
            raise StimgenError(
                f"there are no instructions in the language {wanted!r}", given=wanted, allowed=list(known)
            )
        return wanted or next(iter(known), None)
