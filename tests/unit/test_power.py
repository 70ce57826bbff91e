"""How often simulated studies find an effect, and find one that is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hand_made_experiment import write_experiment, write_its_set

from stimgen.analysis.power import compute_rates, find_effects
from stimgen.analysis.read import read_trials
from stimgen.cli.prospects_text import parse_effect, parse_numbers
from stimgen.experiment.schema.load import LoadedExperiment, load_experiment
from stimgen.experiment.schema.observer_settings import SimulatedObserverSettings
from stimgen.experiment.session.sensitivity_variation import SensitivityVariation, compute_factor
from stimgen.reading.errors import StimgenError
from stimgen.workflow.power import estimate_power
from stimgen.workflow.power_options import PowerOptions
from stimgen.workflow.run import RunOptions
from stimgen.workflow.simulated_study import SimulatedParticipant, SimulatedStudy
from stimgen.workflow.study import SessionId, run_study

ALIKE = PowerOptions(participants=(3,), studies=2, participant_sd=0.0, source_sd=0.0, workers=1)
OBSERVERS = "simulated: {dprime: {fine: 2, coarse: 1}, missing: 0.1}\n"


def load(folder: Path, *changes: tuple[str, str], more: str = OBSERVERS) -> LoadedExperiment:
    """The experiment with a set written by hand, and further settings."""
    write_its_set(folder)
    file = write_experiment(folder, *changes)
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    return load_experiment(file)


def study_of(loaded: LoadedExperiment, count: int) -> SimulatedStudy:
    from stimgen.experiment.design.decisions import Participant, participant_labels
    from stimgen.workflow.prepared_experiment import PreparedExperiment

    prepared = PreparedExperiment.prepare(loaded)
    members = (
        SimulatedParticipant.list_trials(prepared, Participant(label)) for label in participant_labels(count)
    )
    return SimulatedStudy(tuple(members), loaded.experiment.exclusions)


@pytest.mark.parametrize(
    "more",
    [
        OBSERVERS,
        OBSERVERS
        + "exclusions: {trials: {missed: true, slower_than: 900 ms}}\n"
        + "catch: [{every: 5, conditions: [coarse]}]\n"
        + "questions: [{name: confidence, text: 'Sure?'}]\n",
    ],
)
def test_a_simulated_study_has_the_answers_of_run_and_analyze(tmp_path: Path, more: str) -> None:
    window = (
        'responses:\n  keys: {"1": up',
        'responses:\n  window: 800 ms\n  start: offset\n  keys: {"1": up',
    )
    loaded = load(tmp_path, window, more=more)
    options = RunOptions(observer="simulated", data=tmp_path / "data")
    assert all(one.complete for one in run_study(loaded, SessionId(None, "1"), 3, options))
    recorded = read_trials([tmp_path / "data"])
    simulated = study_of(loaded, 3).simulate(loaded.experiment.simulated)
    assert (recorded.factors, recorded.model, recorded.chance) == (
        simulated.factors,
        simulated.model,
        simulated.chance,
    )
    assert 0 < simulated.frame["missed"].sum() < len(simulated.frame)
    for name in recorded.frame.columns.difference(["file", "row", "interrupted", "dropped", "confidence"]):
        one, other = recorded.frame[name].to_numpy(), simulated.frame[name].to_numpy()
        if one.dtype == float:
            np.testing.assert_allclose(one, other, atol=2e-6, err_msg=name)
        else:
            assert one.tolist() == other.tolist(), name


def test_the_result_does_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    options = PowerOptions(participants=(2, 3), studies=1, repetitions=(3, 6), workers=1)
    one = estimate_power(loaded, options).rates
    two = estimate_power(loaded, PowerOptions(**{**vars(options), "workers": 2})).rates
    assert one.equals(two)
    assert one["trials"].tolist() == [12.0] * 6 + [24.0] * 6


def test_a_large_effect_is_found_and_more_often_than_without_one(tmp_path: Path) -> None:
    loaded = load(tmp_path, ("repetitions: 3", "repetitions: 12"))
    options = PowerOptions(**{**vars(ALIKE), "participants": (8,), "effect": {"fine": 4.0, "coarse": 0.0}})
    rates = estimate_power(loaded, options).rates.set_index(["test", "condition", "first"])
    assert rates.loc[("against chance", "fine", ""), "power"] == 1.0
    assert rates.loc[("contrast", "", "coarse"), "power"] == 1.0
    assert rates.loc[("contrast", "", "coarse"), "estimate"] == pytest.approx(-0.57, abs=0.1)


def test_rates_have_an_interval() -> None:
    import pandas as pd

    found = pd.DataFrame({"a": ["x"] * 4 + ["y"], "estimate": [0.5] * 5, "found": [1, 1, 1, 0, 0]})
    rates = compute_rates(found, ["a"])
    assert rates["studies"].tolist() == [4, 1]
    assert rates["rate"].tolist() == [0.75, 0.0]
    assert rates["low"].tolist() == pytest.approx([0.3006, 0.0], abs=1e-4)
    assert rates["high"].tolist() == pytest.approx([0.9544, 0.7935], abs=1e-4)


def test_a_study_without_trials_that_count_finds_nothing(tmp_path: Path) -> None:
    loaded = load(tmp_path, more="simulated: {missing: 1.0}\n")
    table = study_of(loaded, 2).simulate(loaded.experiment.simulated)
    from stimgen.analysis.settings import AnalysisSettings

    found = find_effects(table, AnalysisSettings(resamples=100))
    assert not found["found"].any()


class TestVariation:
    def factors(self, count: int = 4000, **settings: float) -> np.ndarray:
        """The factors of many participants in two cells of the design."""
        sd, correlation = settings.get("sd", 0.5), settings.get("correlation", 0.5)
        return np.array(
            [
                [compute_factor((1, "participant", str(i)), sd, correlation, cell) for cell in ("a", "b")]
                for i in range(count)
            ]
        )

    def test_participants_have_the_stated_mean_and_standard_deviation(self) -> None:
        found = self.factors()
        assert found.mean(0) == pytest.approx([1, 1], abs=0.03)
        assert found.std(0) == pytest.approx([0.5, 0.5], abs=0.05)
        assert np.corrcoef(np.log(found.T))[0, 1] == pytest.approx(0.5, abs=0.04)

    def test_the_mean_over_cells_is_the_shared_factor(self) -> None:
        cells = [compute_factor((1, "participant", "01"), 0.5, 0.3, str(i)) for i in range(4000)]
        assert np.mean(cells) == pytest.approx(compute_factor((1, "participant", "01"), 0.5, 0.3), rel=0.03)

    def test_nobody_differs_by_default(self) -> None:
        settings = SimulatedObserverSettings()
        assert SensitivityVariation.build(settings, "01").mean_factor == 1.0

    def test_participants_who_differ_answer_differently(self, tmp_path: Path) -> None:
        loaded = load(tmp_path, ("repetitions: 3", "repetitions: 60"))
        study, settings = study_of(loaded, 6), loaded.experiment.simulated
        spread = [
            study.simulate(one).counted.groupby("participant")["correct"].mean().std()
            for one in (settings, settings.replace(participant_sd=2.0))
        ]
        assert spread[1] > 1.5 * spread[0]


class TestMistakes:
    @pytest.mark.parametrize(
        ("changes", "more", "message"),
        [
            (
                [("name: constant\n  repetitions: 3", "name: staircase\n  level: duration\n  trials: 8")],
                "",
                "the schedule is adaptive",
            ),
            ([("repetitions: 3", "repetitions: 3\n  level: duration")],
             "simulated: {psychometric: {threshold: 200}}\n", "psychometric"),
        ],
    )  # fmt: skip
    def test_there_is_nothing_to_test(
        self, tmp_path: Path, changes: list[tuple[str, str]], more: str, message: str
    ) -> None:
        with pytest.raises(StimgenError, match=message):
            estimate_power(load(tmp_path, *changes, more=more), ALIKE)

    def test_a_judgement_has_no_correct_answers(self) -> None:
        with pytest.raises(StimgenError, match="nothing to test"):
            estimate_power(load_experiment("mlds_scaling"), ALIKE)

    def test_an_effect_names_all_conditions(self, tmp_path: Path) -> None:
        options = PowerOptions(**{**vars(ALIKE), "effect": {"fine": 1.0}})
        with pytest.raises(StimgenError, match="coarse"):
            estimate_power(load(tmp_path), options)

    @pytest.mark.parametrize("text", ["a=", "=1", "x", "a=1,b", "-1", "a=99", "nan"])
    def test_an_effect_is_a_number(self, text: str) -> None:
        with pytest.raises(StimgenError, match="--effect"):
            parse_effect(text)

    def test_numbers_are_whole(self) -> None:
        assert parse_numbers("--participants", "12, 8,8") == (8, 12)
        with pytest.raises(StimgenError, match="'8.5' is not a whole number"):
            parse_numbers("--participants", "8.5")

    def test_a_study_has_participants(self, tmp_path: Path) -> None:
        for numbers in ((), (0,), (2000,)):
            with pytest.raises(StimgenError, match="--participants"):
                estimate_power(load(tmp_path), PowerOptions(participants=numbers))


def test_the_figure_has_a_line_for_each_test(tmp_path: Path) -> None:
    from stimgen.analysis.figures.power import draw_power

    options = PowerOptions(**{**vars(ALIKE), "participants": (2, 4), "studies": 1})
    found = draw_power(estimate_power(load(tmp_path), options).rates)
    axes = found.figure.axes
    assert [[text.get_text() for text in one.get_legend().get_texts()] for one in axes] == [
        ["coarse", "fine"],
        ["coarse - fine"],
    ]
    assert axes[0].get_xticks().tolist() == [2, 4]


@pytest.mark.long
def test_false_alarms_are_as_rare_as_the_confidence_says(tmp_path: Path) -> None:
    # Two sources are held fixed, so that nothing may depend on which two they are.
    loaded = load(tmp_path, ("repetitions: 3", "repetitions: 12"))
    rates = estimate_power(loaded, PowerOptions(participants=(10,), studies=200, source_sd=0.0)).rates
    assert (rates["false_alarms_low"] < 0.05).all()
    assert (rates["false_alarms"] < 0.09).all()
