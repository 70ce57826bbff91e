"""Features computed on one computer and read on another, and the observer that sees nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from planned_set import write_planned_set

from stimgen.cli.main import main
from stimgen.execution.features import cell_means
from stimgen.experiment.journal.journal import read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.session.standardised_features import PartVariation
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.features import (
    FeatureRecord,
    Features,
    LayerRecord,
    array_placeholder,
    feature_record_file,
    overlap_fractions,
    write_features,
)
from stimgen.stimulus_set.record import FileHash
from stimgen.stimulus_set.store import Store
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.features import FeatureOptions, compute_features
from stimgen.workflow.predict import PredictOptions, predict_accuracy
from stimgen.workflow.run import RunOptions
from stimgen.workflow.study import SessionId, run_study

PROTOCOL = """
name: tiny
preparation: {size: 32}
sources: [{file: "skimage:brick"}, {file: "skimage:coffee"}]
conditions: [{id: texture, layers: [relu1_1]}]
seeds: [1, 2]
"""

EXPERIMENT = """
name: tiny
stimuli: {sets: [sets/tiny], again: seed}
paradigm: {name: oddity, oddball: original}
schedule: {name: constant, repetitions: 9}
display: {resolution: [1024, 768], pixels_per_degree: 30}
questions: [confidence]
model: {features: made, noise: NOISE}
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "tiny.yaml").write_text(PROTOCOL)
    return write_planned_set(tmp_path / "sets" / "tiny", tmp_path / "tiny.yaml")


def pictures(store: Store) -> list[FileHash]:
    found: dict[FileHash, None] = {}
    for record in store.read_records():
        content = record.content
        found[content.source.original] = None
        found[FileHash(file=content.file, sha256=content.sha256)] = None
    return list(found)


def written(store: Store, grids: np.ndarray) -> Features:
    record = FeatureRecord(
        name="made",
        network={"name": "by hand"},
        weights_sha256=None,
        layers=(LayerRecord(name="layer", channels=grids.shape[3]),),
        cells=grids.shape[1],
        array=array_placeholder("made"),
        pictures=tuple(pictures(store)),
    )
    write_features(store, record, iter([grids[:2], grids[2:]]), "make them")
    return Features(store, "made")


def written_moments(store: Store, values: np.ndarray) -> Features:
    """Features of one map of 32 x 32 positions for every picture, in 4 x 4 cells."""
    cells = values.reshape(len(values), 4, 8, 4, 8)
    means, squares = cells.mean((2, 4)), np.sqrt(np.square(cells).mean((2, 4)))
    grids = np.stack([means, squares], -1).astype(np.float16)
    record = FeatureRecord(
        name="moments",
        network={"name": "by hand"},
        weights_sha256=None,
        layers=(LayerRecord(name="layer", channels=1),),
        cells=4,
        statistic="moments",
        array=array_placeholder("moments"),
        pictures=tuple(pictures(store)),
    )
    write_features(store, record, iter([grids]), "make them")
    return Features(store, "moments")


def random_grids(store: Store, cells: int = 4, count: int = 5) -> np.ndarray:
    shape = (len(pictures(store)), cells, cells, count)
    return np.random.default_rng(1).normal(size=shape).astype(np.float16)


def sessions(folder: Path, noise: float, data: str) -> Iterator[tuple[float | None, list[str | None]]]:
    (folder / "tiny_experiment.yaml").write_text(EXPERIMENT.replace("NOISE", str(noise)))
    loaded = load_experiment(folder / "tiny_experiment.yaml")
    options = RunOptions(observer="model", data=folder / data)
    for ended in run_study(loaded, SessionId(None, "1"), 2, options):
        outcomes = [line.outcome for line in read_journal(ended.journal).trials]
        # Features do not tell how sure one is: confidence is a guess.
        assert {further.answer for one in outcomes for further in one.further} <= {"1", "2", "3", "4"}
        answers = [one.answer for one in outcomes]
        yield ended.correct, answers + [further.answer for one in outcomes for further in one.further]


class TestStored:
    def test_the_array_is_what_numpy_reads(self, store: Store) -> None:
        grids = random_grids(store)
        written(store, grids)
        assert np.array_equal(np.load(store.path(array_placeholder("made").file), allow_pickle=False), grids)

    def test_a_part_is_the_mean_of_its_cells(self, store: Store) -> None:
        grids = random_grids(store)
        features, picture = written(store, grids), pictures(store)[3]
        grid = grids[3].astype(np.float64)
        assert np.allclose(features.of_picture(picture), grid.mean((0, 1)))
        assert np.allclose(features.of_part(picture, (8, 0, 16, 8), (32, 32)), grid[0, 1:3].mean(0))
        # Half of one cell and the whole of its right neighbour: the neighbour counts twice.
        expected = (grid[2, 0] + 2 * grid[2, 1]) / 3
        assert np.allclose(features.of_part(picture, (4, 16, 12, 8), (32, 32)), expected)

    def test_moments_give_mean_and_deviation_of_a_part(self, store: Store) -> None:
        values = np.random.default_rng(2).gamma(2.0, size=(len(pictures(store)), 32, 32))
        features = written_moments(store, values)
        part = values[1, 8:24, 0:16]
        found = features.of_part(pictures(store)[1], (0, 8, 16, 16), (32, 32))
        assert found == pytest.approx([part.mean(), part.std()], rel=3e-3)
        assert features.record.shape[3] == 2

    @pytest.mark.parametrize(("start", "length", "count"), [(0, 7, 7), (1, 3, 2), (2.5, 0.25, 5), (0, 7, 3)])
    def test_shares_are_of_a_whole(self, start: float, length: float, count: int) -> None:
        found = overlap_fractions(start, length, 7, count)
        assert found.sum() == pytest.approx(1)
        assert (found >= 0).all()

    def test_what_is_missing_says_how_to_make_it(self, store: Store) -> None:
        with pytest.raises(StimgenError, match=r"has no features 'made'(?s:.*)stimgen features"):
            Features(store, "made")

    def test_another_picture_is_refused(self, store: Store) -> None:
        features = written(store, random_grids(store))
        changed = pictures(store)[0].model_copy(update={"sha256": "0" * 64})
        with pytest.raises(StimgenError, match="are not those of originals/"):
            features.of_picture(changed)

    @pytest.mark.parametrize("file", [array_placeholder("made").file, feature_record_file("made")])
    def test_damage_is_found(self, store: Store, file: str) -> None:
        written(store, random_grids(store))
        data = bytearray(store.read(file))
        data[-9] ^= 1
        store.write(file, bytes(data))
        with pytest.raises(StimgenError, match="is damaged"):
            Features(store, "made")


class TestComputed:
    def test_are_the_same_every_time_and_verified(self, store: Store) -> None:
        options = FeatureOptions(network="rectified_wavelets", cells=4)
        first = compute_features(store.folder, options)
        before = store.read(first.array.file)
        assert compute_features(store.folder, options) == first
        assert store.read(first.array.file) == before
        assert verify_set(store).sound
        assert [picture.file for picture in first.pictures] == sorted(p.file for p in pictures(store))
        assert first.shape == (6, 4, 4, 3 * (17 + 33 + 49 + 65))

    def test_cells_hold_the_means_of_maps(self) -> None:
        maps = torch.rand(2, 3, 12, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        pooled = torch.nn.functional.adaptive_avg_pool2d(maps, 4)
        assert torch.allclose(cell_means(maps, 4), pooled)
        assert torch.allclose(cell_means(maps, 5).mean((2, 3)), maps.mean((2, 3)))
        # Positions larger than cells are shared by these.
        assert torch.allclose(cell_means(maps[:, :, :2, :2], 4)[:, :, :2, 2:], maps[:, :, :1, 1:2])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--network", "embeded"], "embedded"),
            (["--depth", "scale9"], "scale4"),
            (["--weights", "imagenet"], "has no weights to choose"),
            (["--network", "vgg19", "--depth", "pool5", "--device", "gpu"], "is not a device"),
            (["--network", "alexnet"], "needs pictures of"),
        ],
    )
    def test_mistakes_name_what_there_is(
        self,
        store: Store,
        arguments: list[str],
        message: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr("sys.argv", ["stimgen", "features", str(store.folder), *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code
        assert message in " ".join(capsys.readouterr().err.split())
        assert not (store.folder / "features").exists()


class TestObserver:
    def test_the_odd_one_is_found_by_what_is_different_and_only_by_that(
        self, store: Store, tmp_path: Path
    ) -> None:
        grids = random_grids(store)
        grids[:] = 0.25
        written(store, grids)
        alike = [correct for correct, _ in sessions(tmp_path, 0.5, "alike")]
        assert all(0.05 < correct < 0.7 for correct in alike if correct is not None)
        for row, picture in enumerate(pictures(store)):
            grids[row] += picture.file.startswith("originals/")
        written(store, grids)
        assert [correct for correct, _ in sessions(tmp_path, 0.5, "different")] == [1.0, 1.0]

    def test_a_participant_always_answers_alike_and_another_otherwise(
        self, store: Store, tmp_path: Path
    ) -> None:
        written(store, random_grids(store))
        first = [answers for _, answers in sessions(tmp_path, 3.0, "first")]
        second = [answers for _, answers in sessions(tmp_path, 3.0, "second")]
        assert first == second
        assert first[0] != first[1]


class TestPrediction:
    @pytest.mark.parametrize("scaled_by", ["pictures", "parts"])
    def test_it_has_the_answers_of_a_run(self, store: Store, scaled_by: str) -> None:
        written(store, random_grids(store))
        folder = store.folder.parents[1]
        (folder / "e.yaml").write_text(EXPERIMENT.replace("NOISE", f"1, scaled_by: {scaled_by}"))
        loaded = load_experiment(folder / "e.yaml")
        options = RunOptions(observer="model", data=folder / "data")
        ended = list(run_study(loaded, SessionId(None, "1"), 2, options))
        correct = sum((one.correct or 0) * one.graded for one in ended)
        found = predict_accuracy(loaded, PredictOptions(participants=2, scaled_by=scaled_by))
        assert found.accuracy["correct"].tolist() == [round(correct)]
        assert found.accuracy["features"].tolist() == ["made"]

    def test_a_set_without_features_is_named(self, store: Store) -> None:
        folder = store.folder.parents[1]
        (folder / "e.yaml").write_text(EXPERIMENT.replace("NOISE", "1"))
        with pytest.raises(StimgenError, match="has no features"):
            predict_accuracy(load_experiment(folder / "e.yaml"), PredictOptions())

    def test_parts_that_differ_along_a_direction_are_compressed(self) -> None:
        rng = np.random.default_rng(3)
        differences = rng.normal(size=(50, 1)) * np.array([[3.0, 3.0, 0.0, 0.0]]) + 0.01 * rng.normal(
            size=(50, 4)
        )
        found = PartVariation.measure(differences)
        along, across = found.compress(np.array([[1.0, 1.0, 0.0, 0.0], [1.0, -1.0, 0.0, 0.0]]))
        assert np.linalg.norm(along) < 0.75 * np.linalg.norm(across)
        assert across == pytest.approx([1, -1, 0, 0], abs=0.05)
