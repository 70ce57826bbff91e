"""Prepares an experiment: its pictures, its screen, and the procedure of each participant's session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.frames.renderer import FrameRenderer
from stimgen.experiment.pictures.pool import PicturePool, open_pool
from stimgen.experiment.schema.group_selection import assign_group, select_folders, select_group
from stimgen.experiment.schema.load import LoadedExperiment
from stimgen.experiment.schema.monitor import refuse_failed_monitor
from stimgen.experiment.schema.session_flow import Instructions
from stimgen.experiment.schema.viewing import ViewingGeometry, compute_viewing
from stimgen.experiment.trials.builder import TrialBuilder
from stimgen.experiment.trials.checks import check_experiment
from stimgen.experiment.trials.design import build_design, build_practice_design, list_catch_series
from stimgen.experiment.trials.keys import assign_keys, check_keys, check_swap
from stimgen.experiment.trials.procedure import SessionProcedure
from stimgen.experiment.trials.question_checks import check_questions
from stimgen.experiment.trials.texts import fill_texts
from stimgen.reading.errors import StimgenError


@dataclass(frozen=True)
class PreparedExperiment:
    """Holds an experiment with its checked pictures and screen, for all participants or those of a group."""

    loaded: LoadedExperiment
    pool: PicturePool
    """The pictures; those of the first group, if there are groups."""
    viewing: ViewingGeometry
    groups: Mapping[str, PreparedExperiment] = field(default_factory=dict)
    """The experiment as each group sees it."""
    group: str | None = None
    """The group that the experiment was prepared for."""

    @classmethod
    def prepare(cls, loaded: LoadedExperiment, stimuli: tuple[Path, ...] = ()) -> PreparedExperiment:
        """Open an experiment's sets, or the sets in `stimuli` instead, and check everything.

        Raises
        ------
        StimgenError
            A picture, the screen or a duration does not fit the experiment.
        """
        names = list(loaded.experiment.groups)
        if not names:
            return cls._prepare_one(loaded, stimuli)
        groups = {name: cls._prepare_group(loaded, name, stimuli) for name in names}
        first = groups[names[0]]
        return cls(loaded, first.pool, first.viewing, groups)

    @classmethod
    def _prepare_group(
        cls, loaded: LoadedExperiment, name: str, stimuli: tuple[Path, ...]
    ) -> PreparedExperiment:
        try:
            folders = select_folders(loaded, name, stimuli)
            return replace(cls._prepare_one(select_group(loaded, name), folders), group=name)
        except StimgenError as error:
            raise error.add_prefix(f"group {name!r}") from None

    @classmethod
    def _prepare_one(cls, loaded: LoadedExperiment, stimuli: tuple[Path, ...]) -> PreparedExperiment:
        with loaded.at("display"):
            refuse_failed_monitor(loaded.experiment.display, loaded.folder)
            viewing = compute_viewing(loaded.experiment.display, loaded.folder)
        pool = open_pool(loaded, stimuli or None)
        check_experiment(loaded, pool, viewing)
        check_questions(loaded)
        return cls(loaded, pool, viewing)

    @property
    def pools(self) -> tuple[PicturePool, ...]:
        """Return the pictures of every group, or the only ones."""
        return tuple(prepared.pool for prepared in self.groups.values()) or (self.pool,)

    @property
    def frames(self) -> FrameRenderer:
        """Return the renderer of the trials' frames."""
        return FrameRenderer(self.loaded.experiment, self.pool, self.viewing)

    def choose_group(self, participant: Participant) -> tuple[PreparedExperiment, Participant]:
        """Return the experiment as a participant sees it, and the participant with its number in the group.

        Raises
        ------
        StimgenError
            The participant belongs to no group.
        """
        if not self.groups:
            return self, participant
        with self.loaded.at("groups"):
            name, placed = assign_group(self.loaded.experiment.groups, participant)
        return self.groups[name], placed

    def build_procedure(self, participant: Participant, language: str | None = None) -> SessionProcedure:
        """Return the procedure of one participant's session.

        Raises
        ------
        StimgenError
            The schedule does not fit the design, two answers share a key, the instructions do not exist in
            the language, or the participant belongs to no group.
        """
        if self.groups:
            prepared, placed = self.choose_group(participant)
            return prepared.build_procedure(placed, language)
        experiment = self.loaded.experiment
        design = build_design(self.loaded, self.pool, participant)
        with self.loaded.at("schedule"):
            experiment.schedule.check(design)
        with self.loaded.at("responses", "swap"):
            check_swap(experiment)
        with self.loaded.at("responses"):
            check_keys(experiment, assign_keys(experiment, participant))
        practice = build_practice_design(experiment, design)
        builder = TrialBuilder(experiment, self.pool, self.viewing, participant, design.level)
        chosen = self.choose_language(language)
        given = Instructions() if chosen is None else experiment.instructions[chosen]
        texts = fill_texts(experiment, given, assign_keys(experiment, participant))
        catch = list_catch_series(experiment, design)
        return SessionProcedure(experiment, builder, design, practice, texts, catch)

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
