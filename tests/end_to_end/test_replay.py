"""From a journal back to what was on the screen; also where the journal is a stranger's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hand_made_experiment import write_experiment, write_its_set
from PIL import Image

from stimgen.cli import main as cli
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.journal import read_journal
from stimgen.experiment.journal.journal_lines import seal_line
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.trials.procedure import AnsweredTrial
from stimgen.reading.errors import StimgenError
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.replay import replay_trial
from stimgen.workflow.run import RunOptions
from stimgen.workflow.study import SessionId, run_study

pytestmark = pytest.mark.usefixtures("home")

CHANGES = (
    ("200 ms", "200 ms\n  mask: {duration: 100 ms}"),
    ("  refresh_hz: 60", "  size: {degrees: 1.3}\n  aperture: {edge: 2}\n  photodiode: {}\n  refresh_hz: 60"),
)


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command in this process."""

    def call(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["stimgen", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        found = capsys.readouterr()
        return Ended(int(end.value.code or 0), found.out, found.err)

    return call


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a set, an experiment, and the journal of a session."""
    folder = tmp_path_factory.mktemp("session")
    write_its_set(folder)
    write_experiment(folder, *CHANGES)
    options = RunOptions("simulated", (folder / "set",), folder / "data")
    loaded = load_experiment(folder / "e.yaml")
    assert [ended.complete for ended in run_study(loaded, SessionId("01", "1"), None, options)]
    return folder


JOURNAL = Path("data") / "journals" / "sub-01_ses-1_task-e.jsonl"


@pytest.fixture
def home(session: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The current folder: a copy of the journal and the set, without the experiment."""
    shutil.copytree(session / "set", tmp_path / "set")
    shutil.copytree(session / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_trial_is_drawn_as_it_was_shown(session: Path, home: Path) -> None:
    recorded = read_journal(JOURNAL)
    room = PreparedExperiment.prepare(load_experiment(session / "e.yaml"), (home / "set",))
    course = room.build_procedure(Participant("01"))
    history: list[AnsweredTrial] = []
    assert len(recorded.trials) == 14
    for line in recorded.trials:
        found = replay_trial(JOURNAL, line.trial.index, output=home / "drawn")
        assert [frame.agrees for frame in found.frames] == [True] * 3
        step = course.next(history)
        assert step is not None
        frames = room.frames.render_trial(step.trial)
        for frame, drawn in zip(frames, found.frames, strict=True):
            with Image.open(drawn.file) as image:
                assert np.array_equal(np.asarray(image), frame.canvas())
        history.append(AnsweredTrial(line.trial, line.correct))


def test_says_what_agrees(run: Run) -> None:
    ended = run("replay", str(JOURNAL), "--trial", "5")
    files = [
        f"replay/{JOURNAL.stem}_trial-5/{name}.png" for name in ("01_fixation", "02_stimulus_1", "03_mask_1")
    ]
    assert ended == Ended(
        0, "".join(f"{file}: identical to the frame that was shown\n" for file in files), ""
    )
    assert sorted(map(str, Path("replay").rglob("*.png"))) == files


def test_says_so_as_json(run: Run) -> None:
    ended = run("replay", str(JOURNAL), "--trial", "3", "-o", "out", "--json")
    found = json.loads(ended.out)
    assert (ended.code, found["trial"], found["agrees"], found["versions"]) == (0, 3, True, {})
    shots = read_journal(JOURNAL).trials[2].outcome.shots
    assert [frame["sha256"] for frame in found["frames"]] == [shot.frame_sha256 for shot in shots]
    assert [frame["file"] for frame in found["frames"]] == [
        "out/01_fixation.png",
        "out/02_stimulus_1.png",
        "out/03_mask_1.png",
    ]


def test_sets_are_named_as_for_a_session(home: Path, run: Run) -> None:
    (home / "set").rename(home / "elsewhere")
    assert "set: there is no such folder" in refused(run("replay", str(JOURNAL), "--trial", "1"))
    assert run("replay", str(JOURNAL), "--trial", "1", "--stimuli", "elsewhere", "-o", "out").code == 0
    found = refused(run("replay", str(JOURNAL), "--trial", "1", "--stimuli", "elsewhere", "--stimuli", "x"))
    assert "from 1 sets, but 2 are named" in found


def test_needs_neither_torch_nor_a_display(home: Path) -> None:
    (home / "trap").mkdir()
    for name in ("torch", "torchvision", "psychopy"):
        (home / "trap" / f"{name}.py").write_text(f"raise SystemError('{name} was imported')\n")
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    command = [
        sys.executable,
        "-W",
        "error",
        "-c",
        "from stimgen.cli.main import main; main()",
        "replay",
        str(JOURNAL),
        "--trial",
        "1",
    ]
    done = subprocess.run(
        command,
        env={**environment, "PYTHONPATH": str(home / "trap")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def refused(ended: Ended) -> str:
    """Return the message of a journal that cannot be drawn from."""
    assert (ended.code, ended.out) == (2, "")
    lines = ended.err.rstrip("\n").split("\n")
    assert len(lines) <= 16
    assert all(line.isprintable() for line in lines)
    assert "Traceback" not in ended.err
    assert not Path("replay").exists()
    return ended.err


def forge(change: Callable[[dict[str, Any]], None], kind: str = "trial") -> None:
    """Change the lines of a kind in the journal, with right checksums, as a stranger can."""
    lines, before = [], ""
    for line in JOURNAL.read_text().splitlines():
        body = json.loads(line)
        del body["checksum"]
        if body["kind"] == kind:
            change(body)
        data, before = seal_line(body, before)
        lines.append(data)
    JOURNAL.write_bytes(b"".join(lines))


def check_drawing(told: str | None) -> None:
    """Draw a trial, or find it refused with a message; without the command line, which takes time."""
    if told is None:
        assert replay_trial(JOURNAL, 1).agrees
        return
    with pytest.raises(StimgenError) as caught:
        replay_trial(JOURNAL, 1)
    assert told in refused(Ended(caught.value.exit_code, "", str(caught.value)))


def put(body: Any, path: str, value: Any) -> None:
    *steps, last = path.split(".")
    for step in steps:
        body = body[int(step) if step.isdigit() else step]
    body[int(last) if last.isdigit() else last] = value


def test_a_frame_that_was_another_is_found(run: Run) -> None:
    forge(lambda body: put(body, "outcome.shots.1.frame_sha256", "0" * 64))
    forge(lambda body: put(body, "versions.pillow", "1.0"), "header")
    ended = run("replay", str(JOURNAL), "--trial", "2")
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert [line.rpartition(": ")[2] for line in lines[:3]] == [
        "identical to the frame that was shown",
        "different from the frame that was shown",
        "identical to the frame that was shown",
    ]
    assert lines[3].startswith("pillow was version 1.0 ")
    found = json.loads(run("replay", str(JOURNAL), "--trial", "2", "--json").out)
    assert [frame["agrees"] for frame in found["frames"]] == [True, False, True]
    assert found["agrees"] is False


def test_a_trial_that_nobody_saw(run: Run) -> None:
    def unseen(body: dict[str, Any]) -> None:
        for shot in body["outcome"]["shots"]:
            shot["frame_sha256"] = None

    forge(unseen)
    ended = run("replay", str(JOURNAL), "--trial", "2")
    assert ended.code == 0
    assert ended.out.count("not shown to anybody") == 3


@pytest.mark.parametrize("trial", ["0", "-1", "15", "1000000000000000000000"])
def test_a_trial_that_is_not_there(run: Run, trial: str) -> None:
    found = refused(run("replay", str(JOURNAL), "--trial", trial))
    assert f"there is no trial {trial}; there are 1 to 14" in found


def test_a_picture_that_is_another_now(home: Path, run: Run) -> None:
    shown = read_journal(JOURNAL).trials[0].trial.phases[1].shown[0]
    (home / "set" / shown.file).write_bytes(b"no picture")
    found = refused(run("replay", str(JOURNAL), "--trial", "1"))
    assert f"{shown.file}: " in found


def test_other_pictures_of_the_set_need_not_be_there(home: Path, run: Run) -> None:
    used = {shown.file for phase in read_journal(JOURNAL).trials[0].trial.phases for shown in phase.shown}
    for file in (home / "set").rglob("*.png"):
        if str(file.relative_to(home / "set")) not in used:
            file.unlink()
    assert run("replay", str(JOURNAL), "--trial", "1").code == 0


FIRST = "trial.phases.1.shown.0."
COVER = "trial.phases.2.covers.0."
CUES = "trial.phases.2.cues"
STRANGE = [
    (FIRST + "file", "../../e.yaml", "leads out of the set's folder"),
    (FIRST + "file", "/etc/passwd", "leads out of the set's folder"),
    (FIRST + "file", "images/../../../../etc/passwd", "leads out of the set's folder"),
    (FIRST + "file", "", "cannot be read"),
    (FIRST + "file", "x" * 5000, "set"),
    (FIRST + "file", "a\0b", "is not the name of a file"),
    (FIRST + "file", "plan.json", "hash"),
    (FIRST + "sha256", "0" * 64, "hash"),
    (FIRST + "set", 1, "set 2"),
    (FIRST + "set", -1, "set 0"),
    (FIRST + "set", 10**30, f"set {10**30 + 1}"),
    (FIRST + "crop", [0, 0, 10**9, 10**9], "shows a part that"),
    (FIRST + "crop", [-1, 0, 8, 8], "shows a part that"),
    (FIRST + "crop", [0, 0, 0, 8], "shows a part that"),
    (FIRST + "crop", [10**30, 0, 8, 8], "shows a part that"),
    (FIRST + "crop", [0, 0, 3, 3], "an edge of 2 pixels"),
    (FIRST + "size", [10**9, 10**9], "does not lie on the screen"),
    (FIRST + "size", [0, 0], "does not lie on the screen"),
    (FIRST + "size", [-8, -8], "does not lie on the screen"),
    (FIRST + "position", [1e300, 0], "does not lie on the screen"),
    (FIRST + "position", [-500.0, 0], "does not lie on the screen"),
    (FIRST + "encoding", "cmyk", "is not a trial"),
    ("trial.phases.2.mask", [[0, 0, 10**9, 10**9]], "does not lie on the screen"),
    ("trial.phases.2.mask", [[-3, 0, 5, 5]], "does not lie on the screen"),
    (COVER + "seed", -1, "is not a trial"),
    (COVER + "seed", 2**53, "is not a trial"),
    (COVER + "grain", 10**9, "is not a trial"),
    (COVER + "kind", "fog", "is not a trial"),
    (COVER + "picture.file", "../../e.yaml", "leads out of the set's folder"),
    (COVER + "picture.crop", [0, 0, 10**9, 10**9], "shows a part that"),
    (COVER + "picture.size", [10**9, 10**9], "does not lie on the screen"),
    (COVER + "picture.position", [-500.0, 0], "does not lie on the screen"),
    (CUES, [{"shape": "dot", "ends": [0, 0, 0, 0], "width": 10**9}], "is not a trial"),
    (CUES, [{"shape": "dot", "ends": [0, 0, 0, 0], "width": 20_000}], "does not lie on the screen"),
    (CUES, [{"shape": "line", "ends": [0, 0, 1e300, 0], "width": 2}], "is not a trial"),
    (CUES, [{"shape": "ring", "ends": [-5000, 0, 0, 0], "width": 2}], "does not lie on the screen"),
    ("trial.phases", [], "has 0 phases"),
    ("trial.phases", [{"kind": "fixation", "frames": 1}] * 200, "has 200 phases"),
    ("trial.phases", None, "is not a trial"),
    ("trial", [], "is not a trial"),
    ("outcome.shots", [], None),
]


@pytest.mark.parametrize(
    ("path", "value", "told"), STRANGE, ids=[f"{path} {str(v)[:20]}" for path, v, _ in STRANGE]
)
def test_a_strange_trial(path: str, value: Any, told: str | None) -> None:
    forge(lambda body: put(body, path, value))
    check_drawing(told)


HEADERS = [
    ("experiment", {}, "experiment.name"),
    ("experiment", None, ": experiment"),
    ("experiment.text", 3, "experiment.text"),
    ("experiment.text", "name: e\n", "(its experiment):1: stimuli: is missing"),
    ("experiment.text", "&a [*a]", "anchors and aliases"),
    ("experiment.text", "\x1b[31m", "not valid YAML"),
    ("experiment.text", "x" * 10**5, "mapping"),
    ("display", {}, "display.viewing"),
    ("display.viewing", [], "display.viewing"),
    ("display.viewing.resolution", [10**9, 10**9], "display.viewing.resolution.0"),
    ("display.viewing.resolution", [16000, 16000], "16000 x 16000"),
    ("display.viewing.resolution", [60, 60], "does not lie on the screen"),
    ("display.viewing.resolution", ["400", 300], "display.viewing.resolution.0"),
    ("display.viewing.distance_px", 0, "display.viewing.distance_px"),
    ("display.viewing.distance_px", 1e7, "a fixation mark of 0.2 degrees is larger than the screen"),
    ("display.viewing.distance_px", 1e300, "display.viewing.distance_px"),
    ("display.viewing.more", 1, "display.viewing: unknown key 'more'"),
    ("sets", None, ": sets"),
    ("sets", [], "took pictures from 0 sets"),
    ("versions", None, ": versions"),
    ("versions", {"numpy": ["x"]}, "versions.numpy"),
]


@pytest.mark.parametrize(
    ("path", "value", "told"), HEADERS, ids=[f"{path} {str(v)[:20]}" for path, v, _ in HEADERS]
)
def test_a_strange_header(path: str, value: Any, told: str | None) -> None:
    forge(lambda body: put(body, path, value), "header")
    check_drawing(told)


@pytest.mark.parametrize("place", ["../set", "/tmp/set", "a/../../set"])
def test_a_journal_leads_out_of_the_current_folder_to_no_set(run: Run, place: str) -> None:
    def change(body: dict[str, Any]) -> None:
        body["experiment"]["text"] = body["experiment"]["text"].replace("[set]", f"[{place}]")

    forge(change, "header")
    found = refused(run("replay", str(JOURNAL), "--trial", "1"))
    assert "not in the current folder" in found
    assert run("replay", str(JOURNAL), "--trial", "1", "--stimuli", "set").code == 0


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"{}\n", b"[" * 100_000, b"\xff\xfe\n", b'{"seq": 0}\n{"seq": 1}\n']
)
def test_no_journal(run: Run, data: bytes) -> None:
    JOURNAL.write_bytes(data)
    assert str(JOURNAL) in refused(run("replay", str(JOURNAL), "--trial", "1"))


def test_a_file_that_is_not_there(run: Run) -> None:
    assert "nothere.jsonl" in refused(run("replay", "nothere.jsonl", "--trial", "1"))
    assert "set: " in refused(run("replay", "set", "--trial", "1"))


def test_a_line_that_was_altered(run: Run) -> None:
    data = JOURNAL.read_bytes()
    JOURNAL.write_bytes(data.replace(b'"block":1', b'"block":2', 1))
    assert "was altered or damaged" in refused(run("replay", str(JOURNAL), "--trial", "1"))


def test_a_place_that_cannot_be_written(home: Path, run: Run) -> None:
    (home / "file").touch()
    ended = run("replay", str(JOURNAL), "--trial", "1", "-o", "file/x")
    assert "file/x: cannot be used as a folder" in refused(ended)
