"""Every shipped experiment runs on the set that it names, made of noise; what papers say of it holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from planned_set import write_planned_set

from stimgen.experiment.journal import read_journal
from stimgen.experiment.load import load_experiment
from stimgen.reading.shipped import EXPERIMENTS, PROTOCOLS
from stimgen.workflow.run import Ended, Options, run_study

FILES = EXPERIMENTS.files()
EXPECTED = {
    "freeman_simoncelli_abx",
    "jagadeesh2022_oddity",
    "quickstart",
    "questplus_scaling",
    "same_different",
    "staircase_regions",
    "texform_naming",
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


def run(name: str, sets: tuple[Path, ...], data: Path, participants: int = 1) -> list[Ended]:
    options = Options(observer="simulated", stimuli=sets, data=data)
    return list(run_study(load_experiment(name), (None, "1"), participants, options))


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
        counting = [line.trial for line in recorded.trials if not line.trial.practice]
        assert len(counting) == ended.trials > 0
        assert all(text.start for text in experiment.instructions.values())
        if not experiment.schedule.adaptive:
            cells = Counter((trial.source, str(trial.levels)) for trial in counting)
            assert set(cells.values()) == {experiment.schedule.repetitions}
