"""Every shipped experiment runs on the set that it names, made of noise; what papers say of it holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from planned_set import write_planned_set

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.trial import Trial
from stimgen.experiment.journal.journal import read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.session.session import list_planned_trials
from stimgen.experiment.trials.crops import boxes_overlap
from stimgen.reading.shipped import EXPERIMENTS, PROTOCOLS
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions
from stimgen.workflow.session_outcome import SessionOutcome
from stimgen.workflow.study import SessionId, run_study

FILES = EXPERIMENTS.files()
EXPECTED = {
    "freeman_simoncelli_abx",
    "jagadeesh2022_oddity",
    "mlds_scaling",
    "oddity_groups",
    "one_back_texforms",
    "oddity_with_checks",
    "quickstart",
    "questplus_scaling",
    "rotated_naming",
    "same_different",
    "staircase_regions",
    "texform_naming",
    "triplets_textures",
    "two_afc_confidence",
    "two_afc_original",
    "wallis2017_oddity",
}
MakeSet = Callable[[str], Path]


def test_all_are_there() -> None:
    assert set(FILES) == EXPECTED


@pytest.fixture(scope="module")
def set_of(tmp_path_factory: pytest.TempPathFactory) -> MakeSet:
    folder = tmp_path_factory.mktemp("sets")

    def made(protocol: str) -> Path:
        if not (folder / protocol).is_dir():
            write_planned_set(folder / protocol, protocol)
        return folder / protocol

    return made


def comment(name: str) -> str:
    """Return the comment that an experiment opens with, without its first line, as one line."""
    lines = FILES[name].read_text(encoding="utf-8").split("\n")[1:]
    end = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    return " ".join(line[1:].strip() for line in lines[:end])


def run(name: str, sets: tuple[Path, ...], data: Path, participants: int = 1) -> list[SessionOutcome]:
    options = RunOptions(observer="simulated", stimuli=sets, data=data)
    return list(run_study(load_experiment(name), SessionId(None, "1"), participants, options))


@pytest.mark.parametrize("name", sorted(EXPECTED))
class TestEvery:
    def test_says_what_it_follows_and_what_it_needs(self, name: str) -> None:
        said = comment(name)
        assert (
            FILES[name]
            .read_text(encoding="utf-8")
            .startswith("# yaml-language-server: $schema=../experiment.schema.json\n")
        )
        assert re.search(r"doi:10\.\d{4,}/|follows no paper", said)
        (wanted,) = {Path(folder).name for folder in load_experiment(name).experiment.stimuli.sets}
        assert wanted in PROTOCOLS.files()
        assert f"`stimgen generate {wanted}`" in said
        assert "[recalled]" not in said

    def test_runs_on_the_set_that_it_names(self, name: str, set_of: MakeSet, tmp_path: Path) -> None:
        experiment = load_experiment(name).experiment
        (ended,) = run(name, tuple(set_of(Path(folder).name) for folder in experiment.stimuli.sets), tmp_path)
        assert ended.complete
        recorded = read_journal(ended.journal)
        counting = [line.trial for line in recorded.trials if line.trial.is_main]
        assert len(counting) == ended.trials > 0
        assert all(text.start for text in experiment.instructions.values())
        if not experiment.schedule.adaptive:
            cells = Counter((trial.source, str(trial.levels)) for trial in counting)
            assert set(cells.values()) == {experiment.schedule.repetitions}


@pytest.fixture(scope="module")
def trials(set_of: MakeSet) -> list[Trial]:
    """The trials of wallis2017_oddity for one participant."""
    loaded = load_experiment("wallis2017_oddity")
    return list(
        list_planned_trials(
            PreparedExperiment.prepare(loaded, (set_of("wallis2017_rehearsal"),)).build_procedure(
                Participant("01")
            )
        )
    )


class TestWallis2017:
    """Against the paper's text and the raw data (doi:10.5281/zenodo.836726)."""

    def test_every_source_comes_five_times_with_every_model(self, trials: list[Trial]) -> None:
        counting = [trial for trial in trials if not trial.practice]
        cells = Counter((t.levels["duration"], t.levels["condition"], t.source) for t in counting)
        # With the twelve sources of the paper 12 x 6 x 5 = 360, as in the data's sessions.
        assert set(cells.values()) == {5}
        assert len({condition for _, condition, _ in cells}) == 6
        assert [t.levels["duration"] for t in counting] == [
            duration for duration in dict.fromkeys(t.levels["duration"] for t in counting) for _ in range(180)
        ]
        practice = [trial.block for trial in trials if trial.practice]
        assert Counter(practice) == {1: 30, 2: 30}
        assert {t.source for t in trials if t.practice} == {t.source for t in counting}

    def test_patches_lie_where_they_lay(self, trials: list[Trial]) -> None:
        # Published: (-170.5, 125.5), (0, -187), (170.5, 125.5); an even patch on an even screen lies half a
        # pixel off that.
        for trial in trials:
            (phase,) = trial.stimuli
            assert [shown.position for shown in phase.shown] == [(-170, 125), (0, -187), (171, 125)]
            assert {shown.size for shown in phase.shown} == {(128, 128)}
        degrees = trials[0].stimuli[0].shown[0].size_degrees[0]
        assert degrees == pytest.approx(128 / 41, abs=0.05)

    def test_frames_are_those_of_a_screen_of_120_hz(self, trials: list[Trial]) -> None:
        frames = {trial.levels["duration"]: [phase.frames for phase in trial.phases] for trial in trials}
        assert frames == {"200 ms": [24], "2000 ms": [240]}

    def test_oddballs_and_places_are_balanced_and_sources_apart(self, trials: list[Trial]) -> None:
        counting = [trial for trial in trials if not trial.practice]
        kinds = Counter((t.balanced["oddball"], t.correct, t.levels["condition"]) for t in counting)
        assert len(set(kinds.values())) == 1
        assert {kind for kind, _, _ in kinds} == {"original", "synthesis"}
        order = [trial.source for trial in counting]
        gaps = [
            next((j for j in range(1, 9) if order[i + j : i + j + 1] == [s]), 9) for i, s in enumerate(order)
        ]
        assert min(gaps) == 3  # as in the data: two trials between

    def test_two_of_one_picture_and_one_of_the_other_share_no_place(self, trials: list[Trial]) -> None:
        for trial in trials:
            shown = trial.stimuli[0].shown
            roles = Counter(one.role for one in shown)
            assert sorted(roles.values()) == [1, 2]
            odd = shown[int(trial.correct or 0) - 1].role
            assert roles[odd] == 1
            boxes = [one.crop for one in shown]
            assert not any(boxes_overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i])

    def test_answers_count_as_published(self) -> None:
        experiment = load_experiment("wallis2017_oddity").experiment
        said = experiment.responses
        assert (said.start, str(said.window), said.counts) == ("onset", "1200 ms", "last")
        assert str(experiment.timing.between_trials) == "400 ms"
        assert experiment.breaks is not None
        assert (experiment.breaks.every, experiment.breaks.score) == (72, True)
        # In practice alone, for 200 ms, by the colour of the fixation mark.
        told = experiment.feedback
        assert (told.when, told.by, str(told.duration)) == ("practice", ("mark",), "200 ms")


def test_the_session_of_jagadeesh_and_gardner_has_240_trials(set_of: MakeSet) -> None:
    loaded = load_experiment("jagadeesh2022_oddity")
    assert (
        PreparedExperiment.prepare(loaded, (set_of("jagadeesh2022_rehearsal"),))
        .build_procedure(Participant("01"))
        .total
        == 240
    )
