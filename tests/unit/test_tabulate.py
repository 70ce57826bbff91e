"""Tables come from journals and from nothing else, agree with them, and tell nothing of the computer."""

from __future__ import annotations

import csv
import getpass
import hashlib
import io
import json
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bids_validator import validate_bids
from hand_made import Wanted as WantedSet
from hand_made import write_set

from stimgen.cli.experiment_text import format_tables
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.form import write_form
from stimgen.experiment.journal.journal import Journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.export.columns import TableColumn, format_tsv
from stimgen.export.event_columns import FIXED_COLUMNS
from stimgen.export.journals import list_journal_formats, load_journal_format
from stimgen.reading import atomic
from stimgen.reading.errors import StimgenError
from stimgen.workflow.export import export_set
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.tabulate import TableOptions, write_tables

EXPERIMENT = """
name: odd_one
notes: kept in /home/alice/lab
stimuli: {sets: ["%s"], crop: {size: 16}}
paradigm: {name: oddity, eccentricity: 3}
schedule: {name: constant, repetitions: 3}
display: {resolution: [640, 480], width_cm: 40, distance_cm: 57, refresh_hz: 100}
timing: {stimulus: [100 ms, 200 ms]}
responses: {window: 2000 ms, keys: {"1": [left, equal]}}
practice: {trials: 2, sources: [pebbles]}
instructions: {en: {start: Find the odd one.}}
participant: {form: [age]}
simulated: {missing: 0.2}
"""
INTERRUPTED = Participant("02")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two participants; the second was interrupted once."""
    folder = tmp_path_factory.mktemp("study")
    write_set(
        folder / "sets", WantedSet(("brick", "coffee", "pebbles"), seeds=(1, 3), size=(64, 64), array=False)
    )
    (folder / "e.yaml").write_text(EXPERIMENT % (folder / "sets"))
    room = PreparedExperiment.prepare(load_experiment(folder / "e.yaml"))
    options = RunOptions(observer="simulated", data=folder / "data", form={"age": "24"})
    run_session(room, Participant("01"), options)

    def interrupt(answered: Any) -> None:
        if answered.trial.index == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_session(room, INTERRUPTED, options, interrupt)
    run_session(room, INTERRUPTED, RunOptions(observer="simulated", data=folder / "data", resume=True))
    return folder


@pytest.fixture(scope="module")
def tables(study: Path) -> Path:
    written = list(write_tables(study / "data"))
    assert [one.folder.name for one in written] == ["bids", "csv"]
    assert list_journal_formats() == ["bids", "csv", "psychds"]
    assert {one.sessions for one in written} == {2}
    return study / "data"


def journal(study: Path, participant: str) -> list[dict[str, Any]]:
    """Read a journal without stimgen."""
    text = (study / "data" / "journals" / f"sub-{participant}_ses-1_task-odd_one.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def trials(study: Path, participant: str) -> list[dict[str, Any]]:
    return [line for line in journal(study, participant) if line["kind"] == "trial"]


def events(tables: Path, participant: str) -> list[pd.DataFrame]:
    files = sorted((tables / "bids" / f"sub-{participant}" / "ses-1" / "beh").glob("*_events.tsv"))
    return [
        pd.read_csv(file, sep="\t", na_values="n/a", dtype={"response": str, "key": str}) for file in files
    ]


class TestBids:
    def test_stimuli_are_named_as_in_the_table_of_their_set(
        self, study: Path, tables: Path, tmp_path: Path
    ) -> None:
        export_set(study / "sets", "bids", tmp_path / "set")
        known = set(pd.read_csv(tmp_path / "set" / "stimuli" / "stimuli.tsv", sep="\t").stim_id)
        named = {label for table in events(tables, "01") for label in table.stim_id.dropna()}
        assert named
        assert named <= known

    def test_the_validator_finds_no_error(self, tables: Path) -> None:
        verdict = validate_bids(tables / "bids")
        assert verdict.errors == []
        assert verdict.status == 0
        assert sorted(verdict.summary["subjects"]) == ["01", "02"]
        assert verdict.summary["tasks"] == ["odd_one"]

    def test_the_validator_accepts_a_persons_data_and_would_miss_a_picture(
        self, study: Path, tmp_path: Path
    ) -> None:
        measured = {"refresh_hz": 99.98, "psychopyVersion": "2026.2.5", "timing_verified": True}
        header = {
            "observer": {"name": "psychopy", "settings": {}},
            "display": {**journal(study, "01")[0]["display"], "measured": measured},
            "versions": {"psychopy": "2026.2.5", "system": "Linux 6.1"},
        }
        list(write_tables(altered(study, tmp_path, **header), TableOptions("bids", tmp_path / "bids")))
        assert validate_bids(tmp_path / "bids").status == 0
        (file,) = (tmp_path / "bids").rglob("*_events.json")
        screen = json.loads(file.read_text())["StimulusPresentation"]
        assert (screen["ScreenRefreshRate"], screen["SoftwareName"]) == (99.98, "PsychoPy")
        assert screen["SoftwareRRID"] == "RRID:SCR_006571"
        next((tmp_path / "bids" / "stimuli" / "originals").iterdir()).unlink()
        assert validate_bids(tmp_path / "bids").status != 0

    def test_a_row_for_every_picture_and_one_for_the_response(self, study: Path, tables: Path) -> None:
        (table,) = events(tables, "01")
        assert list(table.columns[:2]) == ["onset", "duration"]
        assert table.onset.is_monotonic_increasing
        for line, (index, rows) in zip(trials(study, "01"), table.groupby("trial_index"), strict=True):
            trial, outcome = line["trial"], line["outcome"]
            assert index == trial["index"]
            images, (_, response) = rows[rows.event == "image"], *rows[rows.event == "response"].iterrows()
            at = [phase["kind"] for phase in trial["phases"]].index("stimulus")
            shown, shot = trial["phases"][at]["shown"], outcome["shots"][at]
            assert len(rows) == len(shown) + 1
            assert images.stim_sha256.tolist() == [one["sha256"] for one in shown]
            assert images.role.tolist() == [one["role"] for one in shown]
            assert set(images.onset) == {shot["onset"]}
            assert set(images.duration) == {shot["duration"]}
            assert set(images.frame_sha256) == {shot["frame_sha256"]}
            boxes = images[["crop_left", "crop_top", "crop_width", "crop_height"]]
            assert boxes.values.tolist() == [one["crop"] for one in shown]
            assert images[["x_pixels", "y_pixels"]].values.tolist() == [one["position"] for one in shown]
            assert (response.practice, response.factor_duration) == (
                trial["practice"],
                trial["levels"]["duration"],
            )
            if outcome["answer"] is None:
                assert pd.isna([response.response, response.response_time, response.correct]).all()
                # 2 s of waiting are not the picture's.
                assert response.onset == pytest.approx(shot["onset"] + shot["duration"])
            else:
                assert (response.response, bool(response.correct)) == (outcome["answer"], line["correct"])
                assert response.onset == pytest.approx(shot["onset"] + outcome["seconds"])

    def test_some_had_no_answer_and_some_were_practice(self, study: Path) -> None:
        """So that the test before saw both."""
        lines = trials(study, "01")
        assert 0 < sum(line["outcome"]["answer"] is None for line in lines) < len(lines)
        assert 0 < sum(line["trial"]["practice"] for line in lines) < len(lines)

    def test_pictures_are_those_that_were_shown(self, tables: Path) -> None:
        stimuli = tables / "bids" / "stimuli"
        named = pd.concat([*events(tables, "01"), *events(tables, "02")]).dropna(subset="stim_file")
        pairs = set(zip(named.stim_file, named.stim_sha256, strict=True))
        assert {
            (name, hashlib.sha256((stimuli / name).read_bytes()).hexdigest()) for name, _ in pairs
        } == pairs
        assert sum(1 for file in stimuli.rglob("*") if file.is_file()) == len(pairs)

    def test_an_interrupted_session_has_a_run_for_each_part(self, study: Path, tables: Path) -> None:
        names = [file.name for file in sorted((tables / "bids" / "sub-02").rglob("*.tsv"))]
        assert names == [f"sub-02_ses-1_task-oddone_run-{run}_events.tsv" for run in (1, 2)]
        first, second = events(tables, "02")
        assert set(first.trial_index) == {1, 2, 3, 4, 5}
        assert set(second.trial_index) == set(range(6, len(trials(study, "02")) + 1))
        # Each counts from its own beginning: fixation of half a second comes first.
        assert first.onset.min() == second.onset.min() == 0.5

    def test_every_column_is_described_and_levels_cover_what_there_is(self, tables: Path) -> None:
        for file in (tables / "bids").rglob("*_events.tsv"):
            about = json.loads(file.with_suffix(".json").read_text())
            table = pd.read_csv(file, sep="\t", dtype=str, keep_default_na=False)
            for name in table:
                assert about[name]["Description"]
                if "Levels" in about[name]:
                    assert set(table[name]) - {"n/a"} <= set(about[name]["Levels"])
            assert {column.name for column in FIXED_COLUMNS} <= set(table)

    def test_the_screen_is_told_in_the_units_of_bids(self, tables: Path) -> None:
        about = json.loads(next((tables / "bids" / "sub-01").rglob("*.json")).read_text())
        screen = about["StimulusPresentation"]
        assert screen["ScreenDistance"] == 0.57
        assert screen["ScreenSize"] == [0.4, 0.3]
        assert (screen["ScreenResolution"], screen["ScreenRefreshRate"]) == ([640, 480], 100.0)
        assert screen["SoftwareName"] == "stimgen (simulated observer)"
        assert (about["TaskName"], about["Instructions"]) == ("odd_one", "Find the odd one.")
        participants = (tables / "bids" / "participants.tsv").read_text()
        assert participants == "participant_id\tobserver\nsub-01\tsimulated\nsub-02\tsimulated\n"


class TestCsv:
    def table(self, tables: Path, participant: str) -> pd.DataFrame:
        return pd.read_csv(
            tables / "csv" / f"sub-{participant}_ses-1_task-odd_one.csv", dtype={"session": str}
        )

    def test_psychopys_columns(self, study: Path, tables: Path) -> None:
        table, lines = self.table(tables, "01"), trials(study, "01")
        assert len(table) == len(lines)
        counting = [line for line in lines if not line["trial"]["practice"]]
        assert table["trials.thisN"].dropna().tolist() == list(range(len(counting)))
        assert table["practice.thisN"].dropna().tolist() == [0, 1]
        assert table["thisN"].tolist() == [0, 1, *range(len(counting))]
        assert table["key_resp.rt"].dropna().tolist() == [
            line["outcome"]["seconds"] for line in lines if line["outcome"]["answer"] is not None
        ]
        corrects = [None if line["correct"] is None else int(line["correct"]) for line in lines]
        assert [None if pd.isna(one) else one for one in table["key_resp.corr"]] == corrects
        assert table.duration.tolist() == [line["trial"]["levels"]["duration"] for line in lines]
        same = {"participant": 1, "session": "1", "expName": "odd_one", "observer": "simulated"}
        assert (table[list(same)] == pd.Series(same)).all().all()
        assert table.date[0] == journal(study, "01")[0]["started"][:16].replace("T", "_").replace(
            ":", "h"
        ) + ("." + journal(study, "01")[0]["started"][17:19])
        assert table.psychopyVersion.isna().all()
        assert not table.timing_verified.any()

    def test_the_documentation_names_every_column(self, tables: Path) -> None:
        page = (Path(__file__).parents[2] / "docs" / "journals.md").read_text()
        rows = page.partition("### CSV")[2].partition("### BIDS")[0]
        named = set(re.findall(r"`([\w.]+)`", rows))
        assert set(self.table(tables, "01").columns) - named == set()

    def test_it_begins_with_a_mark_as_psychopys_does(self, tables: Path) -> None:
        data = (tables / "csv" / "sub-01_ses-1_task-odd_one.csv").read_bytes()
        assert data.startswith(b"\xef\xbb\xbfthisN,trials.thisN")

    def test_keys_that_begin_a_formula(self, tmp_path: Path, study: Path) -> None:
        """And answers that somebody typed; nothing is lost: what follows the mark is the text."""
        typed = '=HYPERLINK("http://x","y")\tand\nmore'
        data = altered(
            study, tmp_path, lambda line: line["outcome"].update(answer=typed, key="=", seconds=0.4)
        )
        list(write_tables(data, TableOptions("csv")))
        text = (data / "csv" / "sub-01_ses-1_task-odd_one.csv").read_text("utf-8-sig")
        (row, *_) = csv.DictReader(io.StringIO(text))
        assert (row["key_resp.keys"], row["response"]) == ("'=", "'" + typed)
        assert row["correct_response"] in ("1", "2", "3")
        list(write_tables(data, TableOptions("bids", stimuli=(study / "sets",))))
        (table,) = events(data, "01")
        assert table[table.event == "response"].response.tolist()[0] == (
            '\'=HYPERLINK("http://x","y") and more'
        )


def test_cells_of_bids() -> None:
    values = [None, "", " \n", True, -1.5, 0, "-1.5", "\t=1", "a\tb\r\nc", "#a"]
    rows = [{"x": value} for value in values]
    cells = ["n/a", "n/a", "n/a", "true", "-1.5", "0", "'-1.5", "'=1", "a b c", "#a"]
    assert format_tsv((TableColumn("x", ""),), rows) == ("\n".join(["x", *cells]) + "\n").encode()


def altered(
    study: Path, folder: Path, change: Callable[[dict[str, Any]], Any] = lambda _: None, **changes: Any
) -> Path:
    """Write the first participant's journal again, with changes of its header and of every trial."""
    name = "sub-01_ses-1_task-odd_one.jsonl"
    header, *lines = journal(study, "01")
    with Journal.create(folder / "data" / "journals" / name, rest(header) | changes) as written:
        for line in lines:
            if line["kind"] == "trial":
                change(line)
            written.append(line["kind"], rest(line))
    return folder / "data"


def rest(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key not in ("seq", "checksum", "kind")}


def test_psych_ds_has_a_file_for_each_session_and_lists_its_variables(study: Path, tmp_path: Path) -> None:
    # No validator of the format can be installed with pip: these are the rules that it checks.
    out = tmp_path / "psychds"
    (written,) = write_tables(study / "data", TableOptions("psychds", out))
    assert written.sessions == 2
    described = json.loads((out / "dataset_description.json").read_text())
    assert described["@context"] == "https://schema.org/"
    assert described["@type"] == "Dataset"
    assert described["name"]
    assert described["description"]
    files = sorted((out / "data").iterdir())
    assert len(files) == 2
    variables = {one["name"] for one in described["variableMeasured"]}
    for file in files:
        assert re.fullmatch(r"([a-z]+-[A-Za-z0-9]+_)+data\.csv", file.name)
        assert not file.read_bytes().startswith(b"\xef\xbb\xbf")
        table = pd.read_csv(file, na_values="NA")
        assert set(table) <= variables
        session = file.name.split("_")[0].removeprefix("subject-")
        assert len(table) == sum(line["kind"] == "trial" for line in journal(study, session))


def test_no_export_tells_of_computer_user_folders_or_forms(study: Path, tables: Path) -> None:
    assert "/home/alice" in journal(study, "01")[0]["experiment"]["text"]
    assert (tables / "participants" / "sub-01_ses-1.json").is_file()
    secret = re.escape(str(study)), "/home/", "alice", re.escape(str(Path.home())) + "/", r"\b24\b"
    names = socket.gethostname(), getpass.getuser()
    pattern = re.compile("|".join([*secret, *(rf"\b{re.escape(name)}\b" for name in names)]))
    texts = {
        file: file.read_text("utf-8")
        for part in ("bids", "csv")
        for file in (tables / part).rglob("*")
        if file.is_file() and file.suffix != ".png"
    }
    assert len(texts) == 4 + 2 * 3 + 2
    # Numbers of pixels may be 24, too, but not in these.
    found = {file.name: pattern.findall(text) for file, text in texts.items() if file.suffix == ".json"}
    found |= {file.name: re.findall(pattern.pattern.replace(r"|\b24\b", ""), t) for file, t in texts.items()}
    assert not any(found.values()), found


class TestTold:
    """What participants told of themselves is in no table, unless somebody names it."""

    @pytest.fixture
    def data(self, study: Path, tmp_path: Path) -> Path:
        shutil.copytree(study / "data" / "journals", tmp_path / "data" / "journals")
        for label, answers in (("01", {"age": "24.5", "sex": "f"}), ("02", {"age": "91", "sex": ""})):
            write_form(tmp_path / f"data/participants/sub-{label}_ses-1.json", Participant(label), answers)
        return tmp_path / "data"

    def told(self, data: Path, *fields: str) -> str:
        list(write_tables(data, TableOptions("bids", form_fields=fields)))
        about = json.loads((data / "bids" / "participants.json").read_text())
        text = (data / "bids" / "participants.tsv").read_text()
        assert list(about) == sorted(text.splitlines()[0].split("\t"))
        return text

    def test_nothing_without_being_named(self, data: Path) -> None:
        assert self.told(data) == "participant_id\tobserver\nsub-01\tsimulated\nsub-02\tsimulated\n"

    def test_those_named_and_the_old_are_not_told_apart(self, data: Path) -> None:
        assert self.told(data, "age", "sex") == (
            "participant_id\tobserver\tage\tsex\nsub-01\tsimulated\t24.5\tf\nsub-02\tsimulated\t89+\tn/a\n"
        )
        assert validate_bids(data / "bids").status == 0

    def test_words_that_bids_does_not_take(self, data: Path) -> None:
        write_form(data / "participants/sub-02_ses-1.json", Participant("02"), {"sex": "=woman"})
        assert self.told(data, "sex").splitlines()[0].endswith("\tsex_as_told")
        assert self.told(data, "sex").splitlines()[2].endswith("\t'=woman")
        assert validate_bids(data / "bids").status == 0

    def test_a_field_that_no_form_has(self, data: Path) -> None:
        with pytest.raises(StimgenError, match="no field 'name'"):
            self.told(data, "name")

    @pytest.mark.parametrize("text", ["{", "3", '{"answers": 3}', "[" * 100_000])
    def test_a_damaged_form_is_named(self, data: Path, text: str) -> None:
        (data / "participants/sub-02_ses-1.json").write_text(text)
        with pytest.raises(StimgenError, match=r"sub-02_ses-1\.json: is not a participant's form"):
            self.told(data, "age")


class TestRewriting:
    @pytest.fixture
    def data(self, study: Path, tmp_path: Path) -> Path:
        shutil.copytree(study / "data" / "journals", tmp_path / "data" / "journals")
        return tmp_path / "data"

    def contents(self, folder: Path) -> dict[str, bytes]:
        return {
            str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()
        }

    @pytest.mark.parametrize("name", ["bids", "csv"])
    def test_it_is_the_same_again_and_what_is_stale_goes(self, data: Path, study: Path, name: str) -> None:
        list(write_tables(data, TableOptions(name)))
        before = self.contents(data / name)
        assert before == self.contents(study / "data" / name) or name == "bids"
        stale = {"bids": "sub-09/ses-1/beh/sub-09_ses-1_task-x_events.tsv", "csv": "sub-09_ses-1_task-x.csv"}
        (data / name / stale[name]).parent.mkdir(parents=True, exist_ok=True)
        (data / name / stale[name]).write_text("stale")
        (data / name / ".DS_Store").write_text("")
        (data / name / ".writing-0123456789abcdef").write_text("left by a session that was killed")
        list(write_tables(data, TableOptions(name)))
        assert self.contents(data / name) == before

    @pytest.mark.parametrize("name", ["bids", "csv"])
    @pytest.mark.parametrize("fault", [KeyboardInterrupt(), OSError(28, "No space left on device")])
    def test_an_interruption_leaves_what_was_there(
        self, data: Path, monkeypatch: pytest.MonkeyPatch, name: str, fault: BaseException
    ) -> None:
        list(write_tables(data, TableOptions(name)))
        before = self.contents(data)
        left = iter([None])

        def failing(_: int) -> None:
            if next(left, fault) is not None:
                raise fault

        with monkeypatch.context() as patch:
            patch.setattr(atomic, "push_to_disk", failing)
            with pytest.raises((KeyboardInterrupt, StimgenError)):
                list(write_tables(data, TableOptions(name)))
        assert self.contents(data) == before

    @pytest.mark.parametrize("name", ["bids", "csv"])
    def test_what_is_somebody_elses_is_left_alone(self, data: Path, name: str) -> None:
        list(write_tables(data, TableOptions(name)))
        (data / name / "sub-01_notes.txt").write_text("mine")
        before = self.contents(data)
        with pytest.raises(StimgenError, match=r"tables are not made of \(sub-01_notes.txt\)"):
            list(write_tables(data, TableOptions(name)))
        assert self.contents(data) == before

    def test_a_file_in_its_place(self, data: Path) -> None:
        (data / "csv").write_text("mine")
        with pytest.raises(StimgenError, match="is left alone"):
            list(write_tables(data, TableOptions("csv")))
        assert (data / "csv").read_text() == "mine"

    def test_the_current_folder(self, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        list(write_tables(data, TableOptions("csv", Path())))
        assert len(list((tmp_path / "here").iterdir())) == 2

    def test_another_target(self, data: Path, tmp_path: Path) -> None:
        list(write_tables(data, TableOptions("csv", tmp_path / "one")))
        list(write_tables(data, TableOptions(None, tmp_path / "two")))
        assert self.contents(tmp_path / "one") == self.contents(tmp_path / "two" / "csv")
        assert (tmp_path / "two" / "bids" / "participants.tsv").is_file()
        assert sorted(path.name for path in data.iterdir()) == ["journals"]


class TestMistakes:
    def test_a_format_that_there_is_not(self) -> None:
        with pytest.raises(StimgenError) as caught:
            load_journal_format("bds")
        assert "did you mean 'bids'?" in str(caught.value)

    @pytest.mark.parametrize(("name", "said"), [("nowhere", "no such folder"), (".", "contains no journals")])
    def test_a_folder_without_journals(self, tmp_path: Path, name: str, said: str) -> None:
        with pytest.raises(StimgenError, match=said):
            list(write_tables(tmp_path / name))

    def test_pictures_that_are_not_there(self, study: Path, tmp_path: Path) -> None:
        data = altered(study, tmp_path)
        shutil.copytree(study / "sets", tmp_path / "moved")
        for file in (tmp_path / "moved" / "images").iterdir():
            file.unlink()
        with pytest.raises(StimgenError) as caught:
            list(write_tables(data, TableOptions("bids", stimuli=(tmp_path / "moved",))))
        assert "which participant 01 saw, is not in" in str(caught.value)
        assert "name the folder of the stimulus set 'sets' with --stimuli" in str(caught.value)
        assert not (data / "bids").exists()

    def test_a_picture_that_is_another(self, study: Path, tmp_path: Path) -> None:
        data = altered(study, tmp_path)
        shutil.copytree(study / "sets", tmp_path / "moved")
        for file in (tmp_path / "moved" / "originals").iterdir():
            file.write_bytes(file.read_bytes() + b"\0")
        with pytest.raises(StimgenError, match="is not the picture that was shown: its hash"):
            list(write_tables(data, TableOptions("bids", stimuli=(tmp_path / "moved",))))

    @pytest.mark.parametrize("name", ["../../x.png", "/etc/passwd", "a/../../x", "c:x", "a\\..\\x"])
    def test_a_journal_that_names_files_elsewhere(self, study: Path, tmp_path: Path, name: str) -> None:
        def change(line: dict[str, Any]) -> None:
            for phase in line["trial"]["phases"]:
                for shown in phase["shown"]:
                    shown["file"] = name

        data = altered(study, tmp_path, change)
        with pytest.raises(StimgenError, match="is not the name of a picture in a set"):
            list(write_tables(data, TableOptions("bids")))

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"participant": "../../../x"}, ": participant:"),
            ({"participant": "02"}, "was renamed, and is sub-02_ses-1_task-odd_one.jsonl"),
            ({"experiment": {}}, "experiment.name:"),
            ({"display": {"viewing": {"resolution": [1]}}}, "display.viewing.resolution"),
            ({"started": "yesterday"}, ": started:"),
            ({"sets": 3}, ": sets:"),
        ],
    )
    def test_a_header_that_is_none(
        self, study: Path, tmp_path: Path, changes: dict[str, Any], said: str
    ) -> None:
        data = altered(study, tmp_path, **changes)
        for name in list_journal_formats():
            with pytest.raises(StimgenError) as caught:
                list(write_tables(data, TableOptions(name)))
            assert said in str(caught.value)
        assert [path.name for path in data.iterdir()] == ["journals"]

    def test_a_trial_that_was_not_shown(self, study: Path, tmp_path: Path) -> None:
        data = altered(study, tmp_path, lambda line: line["outcome"].update(shots=[]))
        with pytest.raises(StimgenError, match="trial 1 has 2 phases, and 0 of them were shown"):
            list(write_tables(data, TableOptions("csv")))

    def test_a_damaged_journal_is_named(self, study: Path, tmp_path: Path) -> None:
        data = altered(study, tmp_path)
        (file,) = (data / "journals").iterdir()
        file.write_bytes(file.read_bytes().replace(b'"answer":"1"', b'"answer":"2"'))
        with pytest.raises(StimgenError, match=r"\.jsonl:\d+: was altered"):
            list(write_tables(data, TableOptions("csv")))

    def test_a_session_that_had_not_begun_is_left_out_and_said(self, study: Path, tmp_path: Path) -> None:
        data = altered(study, tmp_path)
        (data / "journals" / "sub-03_ses-1_task-odd_one.jsonl").write_bytes(b'{"check')
        (written,) = write_tables(data, TableOptions("csv"))
        assert written.sessions == 1
        assert "left out" in format_tables(written)
        assert "sub-03" in format_tables(written)

    def test_experiments_that_bids_cannot_tell_apart(self, study: Path, tmp_path: Path) -> None:
        data = altered(study, tmp_path)
        header = rest(journal(study, "01")[0])
        header["experiment"] = {**header["experiment"], "name": "oddone"}
        header["participant"] = "05"
        Journal.create(data / "journals" / "sub-05_ses-1_task-oddone.jsonl", header).close()
        with pytest.raises(StimgenError, match="are both task-oddone in BIDS"):
            list(write_tables(data, TableOptions("bids")))


def test_a_session_ends_with_its_csv_and_a_problem_with_that_changes_nothing(
    study: Path, tmp_path: Path
) -> None:
    room = PreparedExperiment.prepare(load_experiment(study / "e.yaml"))
    fine = run_session(room, Participant("01"), RunOptions(observer="simulated", data=tmp_path / "a"))
    assert fine.problem is None
    table = tmp_path / "a" / "csv" / "sub-01_ses-1_task-odd_one.csv"
    assert len(pd.read_csv(table)) == fine.trials + 2
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "csv").write_text("in the way")
    ended = run_session(room, Participant("01"), RunOptions(observer="simulated", data=tmp_path / "b"))
    assert (ended.complete, ended.trials) == (True, fine.trials)
    assert ended.problem
    assert "later with stimgen tabulate" in ended.problem
