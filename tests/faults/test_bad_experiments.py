"""Experiments with a mistake: a short message with file and line, before the first trial; nothing written."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hand_made import Wanted, write_set
from hand_made_experiment import write_experiment, write_its_set

from stimgen.cli import main as cli
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.session.session import list_planned_trials
from stimgen.reading.errors import StimgenError
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions
from stimgen.workflow.study import SessionId, run_study

LONGEST = 16
Refused = Callable[..., str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the set that the experiment names."""
    folder = tmp_path_factory.mktemp("home")
    write_its_set(folder)
    return folder


@pytest.fixture
def refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Refused:
    """Return what runs a session in the folder with the set, and returns what a refusal says."""

    def run(*arguments: str, folder: Path = home, command: str = "run") -> str:
        monkeypatch.chdir(folder)
        before = everything_in(tmp_path)
        given = arguments or (str(tmp_path / "e.yaml"), "--participant", "01")
        more = ("--observer", "simulated", "-o", str(tmp_path / "data")) if command == "run" else ()
        more = more if "--observer" not in given else more[2:]
        monkeypatch.setattr(sys, "argv", ["stimgen", command, *given, *more])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        found = capsys.readouterr()
        assert (ended.value.code, found.out) == (2, "")
        assert everything_in(tmp_path) == before, "something was written"
        is_short(found.err.rstrip("\n"))
        assert "Traceback" not in found.err
        return found.err.replace(f"{tmp_path}/", "")

    return run


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


def is_short(message: str) -> None:
    lines = message.split("\n")
    assert 1 <= len(lines) <= LONGEST
    assert all(line.isprintable() for line in lines)


def swap_keys_of(paradigm: str) -> list[tuple[str, str]]:
    """Return the changes to the experiment that give it a paradigm with its default keys, swapped."""
    odd = "  name: oddity\n  angles: [90, 210, 330]\n  eccentricity: 4\n  oddball: original\n"
    return [(odd, f"  name: {paradigm}\n"), ('  keys: {"1": up, "2": left, "3": right}', "  swap: true")]


def holds(found: str, *parts: str) -> None:
    for part in parts:
        assert part in found


def test_the_experiment_without_a_mistake(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    room = PreparedExperiment.prepare(load_experiment(write_experiment(tmp_path)))
    assert len(list_planned_trials(room.build_procedure(Participant("01")))) == 2 + 2 * 2 * 3


# What is replaced, by what, the line that the message names, and what else it must name.
MISTAKES = [
    # keys, kinds and traps of YAML
    ("name: e", "nmae: e", 1, ("'nmae'", "'name'")),
    ("name: e", "name: E e", 1, ("name:", "'E e'")),
    ("name: e", "name: ../e", 1, ("name:", "'../e'")),
    ("name: e", "name: e\nseed: 1e3", 2, ("seed:", "integer", "1000.0")),
    ("name: e", "name: e\nseed: -1", 2, ("seed:", "0", "-1")),
    ("name: e", "name: e\nname: f", 2, ("'name'", "twice")),
    ("name: e", "name: &a e", 1, ("anchor", "alias")),
    ("name: e", "name: !!python/object:os.system e", 1, ("tag",)),
    ("name: e", "\tname: e", 1, ("YAML",)),
    ("  conditions: [fine, coarse]", "  conditons: [fine]", 4, ("'conditons'", "'conditions'")),
    ("  conditions: [fine, coarse]", "  conditions: {fine: 1}", 4, ("stimuli.conditions:", "text")),
    ("  conditions: [fine, coarse]", "  conditions: fin", 4, ("stimuli.conditions:", "'fin'", "'fine'")),
    ("  conditions: [fine, coarse]", "  conditions: [1]", 4, ("stimuli.conditions[0]:", "text", "1")),
    ("  seeds: [1, 3]", "  seeds: [01, '3']", 6, ("stimuli.seeds[1]:", "integer", "'3'")),
    ("  seeds: [1, 3]", "  seeds: [yes]", 6, ("stimuli.seeds[0]:", "integer", "'yes'")),
    ("  refresh_hz: 60", "  refresh_hz: '60'", 20, ("display.refresh_hz:", "number", "'60'")),
    ("  refresh_hz: 60", "  refresh_hz: .inf", 20, ("display.refresh_hz:", "inf")),
    (
        "  refresh_hz: 60",
        "  refresh_hz: 1:00",
        20,
        ("display.refresh_hz:", "number", "'1:00'"),
    ),
    # stimuli
    ("  sets: [set]", "  sets: []", 3, ("stimuli.sets:", "list", "at least 1")),
    (
        "  sets: [set]",
        "  sets: [sets/nothere]",
        3,
        ("'sets/nothere'", "stimgen generate PROTOCOL -o sets/nothere"),
    ),
    ("  sets: [set]", "  sets: [sets/quickstart]", 3, ("stimgen generate quickstart -o sets/quickstart",)),
    ("  sets: [set]", f"  sets: [{'x' * 400}]", 3, ("x" * 400,)),
    ("  sets: [set]", "  sets: [set, set]", 3, ("'set'",)),
    ("  sets: [set]", "  sets: [set, ./set]", None, ("'brick'",)),
    ("[fine, coarse]", "[fine, corse]", 4, ("'corse'", "fine, coarse", "'coarse'")),
    ("[fine, coarse]", "[fine, fine]", 4, ("'fine'",)),
    ("[brick, coffee]", "[brick, cofee]", 5, ("'cofee'", "'coffee'")),
    ("[1, 3]", "[1, 4]", 6, ("seed 4", "1, 3, 5")),
    ("[1, 3]", "[1, 1]", 6, ("1", "twice")),
    ("original-synthesis", "orginal-synthesis", 7, ("'orginal-synthesis'", "'original-synthesis'")),
    ("[1, 3]", "[1]\n  again: seed", 2, ("2 seeds", ": 1")),
    (
        "  crop: {size: 8}\nparadigm:\n  name: oddity\n  angles: [90, 210, 330]\n  eccentricity: 4\n"
        "  oddball: original",
        "  again: seed\nparadigm:\n  name: oddity\n  eccentricity: 4",
        2,
        ("original", "more than once", "paradigm.oddball: original", "stimuli.crop", "stimuli.again: same"),
    ),
    ("[1, 3]\n  meet: original-synthesis", "[1]\n  meet: synthesis-synthesis", 2, ("2 seeds",)),
    ("{size: 8}", "{size: 17}", 2, ("17 x 17", "32 x 24", "12 pixels")),
    ("{size: 8}", "{size: 33}", 8, ("33 x 33", "32 x 24")),
    ("{size: 8}", "{size: 8, place: [25, 0]}", 8, ("8 x 8", "25, 0", "32 x 24")),
    ("{size: 8}", "{size: 8, place: [-1, 0]}", 8, ("8 x 8", "-1, 0", "32 x 24")),
    ("{size: 8}", "{size: 8, place: middle}", 8, ("stimuli.crop.place:", "'middle'")),
    ("{size: 8}", "{size: 0}", 8, ("1", "0")),
    (
        "{size: 8}",
        "{size: 8, place: centre}",
        2,
        ("synthesis", "stimuli.crop", "stimuli.again: seed", "stimuli.again: same"),
    ),
    ("  crop: {size: 8}", "  not_converged: maybe", 8, ("stimuli.not_converged:", "'maybe'", "refuse, show")),
    (
        "  crop: {size: 8}",
        "  crop: {size: 8}\n  largest_copy: 0.2",
        2,
        ("12 stimuli", "stimuli.copies: show"),
    ),
    # paradigm
    ("  name: oddity", "  name: odity", 10, ("'odity'", "abx, mlds, naming, oddity, one_back", "'oddity'")),
    ("  angles:", "  angels:", 11, ("paradigm:", "'angels'", "'angles'")),
    ("[90, 210, 330]", "[90, 210]", 11, ("2 angles", "3")),
    (
        "eccentricity: 4",
        "eccentricity: 9",
        9,
        ("8 x 8", "angle 90, eccentricity 9"),
    ),
    ("eccentricity: 4", "eccentricity: 89.999", 9, ("9.9 degrees",)),
    ("eccentricity: 4", "eccentricity: 90", 12, ("90",)),
    ("eccentricity: 4", "eccentricity: -4", 12, ("0", "-4")),
    ("eccentricity: 4", "eccentricity: 0.1", 9, ("8 x 8", "eccentricity 0.1", "cover")),
    (
        "oddball: original",
        "oddball: both",
        13,
        ("paradigm.oddball:", "'both'", "original, synthesis, either"),
    ),
    (
        "  angles: [90, 210, 330]",
        "  places: [{angle: 90}, {x: 0, y: 4}, {pixels: [1, 2]}]",
        11,
        ("paradigm.places[0]:", "{angle, eccentricity}", "{x, y}", "{pixels: [x, y]}"),
    ),
    # schedule
    ("  name: constant", "  name: constnat", 15, ("'constnat'", "'constant'")),
    (
        "repetitions: 3",
        "repetitions: 2",
        14,
        ("2 sources", "2 repetitions", "3 combinations", "balance: across"),
    ),
    (
        "repetitions: 3",
        "repetitions: 3\n  source_gap: 5",
        14,
        ("5 trials", "source_gap", "1"),
    ),
    ("repetitions: 3", "repetitions: 3\n  blocked: [conditon]", 14, ("'conditon'", "'condition'")),
    # display
    ("[400, 300]", "[400]", 18, ("display.resolution[1]:", "missing")),
    ("[400, 300]", "[0, 300]", 18, ("display.resolution[0]:", "16", "0")),
    ("[400, 300]", "[16384, 16384]", 18, ("16384 x 16384",)),
    (
        "  pixels_per_degree: 20",
        "  width_cm: 30",
        17,
        ("width_cm", "distance_cm", "pixels_per_degree"),
    ),
    ("  pixels_per_degree: 20", "  pixels_per_degree: 0", 19, ("display.pixels_per_degree:", "0")),
    ("  resolution: [400, 300]\n", "", 17, ("resolution", "[1920, 1080]", "monitor")),
    ("  pixels_per_degree: 20", "  monitor: lab", 17, ("'lab'", "stimgen display-check --save lab")),
    (
        "  refresh_hz: 60",
        "  transfer: {linearised: 2026-01-31}",
        20,
        ("srgb", "linear", "display.mismatch: convert"),
    ),
    ("  refresh_hz: 60", "  transfer: {linearised: yesterday}", 20, ("display.transfer", "'yesterday'")),
    ("  refresh_hz: 60", "  fixation: {degrees: 30}", 20, ("fixation", "30 degrees")),
    ("  refresh_hz: 60", "  fixation: {shape: star}", 20, ("'star'", "dot, cross, bullseye")),
    ("  refresh_hz: 60", "  background: 128", 20, ("display.background:", "1", "128")),
    (
        "  refresh_hz: 60",
        "  photodiode: {pixels: 400}",
        20,
        ("photodiode",),
    ),
    ("  refresh_hz: 60", "  photodiode: {corner: middle}", 20, ("'middle'", "lower left")),
    (
        "  refresh_hz: 60",
        "  photodiode: {pixels: 170, corner: lower left}",
        9,
        ("angle 210, eccentricity 4", "photodiode"),
    ),
    ("  refresh_hz: 60", "  size: {degrees: 0.01}", 9, ("8 x 8", "0 x 0")),
    ("  refresh_hz: 60", "  size: {degrees: 8}", 9, ("screen", "degrees")),
    ("  refresh_hz: 60", "  size: {degrees: 6.5}", 9, ("cover", "stimuli.crop")),
    ("  refresh_hz: 60", "  size: original", 20, ("'original'", "native")),
    ("  refresh_hz: 60", "  aperture: {name: contrast, rms: 0.2}", 20, ("'contrast'",)),
    ("  refresh_hz: 60", "  aperture: {box: [0, 0, 4, 4]}", 20, ("'crop'", "stimuli.crop")),
    ("  refresh_hz: 60", "  aperture: {diameter: 9, edge: 1}", 20, ("9 pixels",)),
    # timing
    (
        "200 ms",
        "205 ms",
        23,
        ("timing.stimulus:", "205 ms", "12.30 frames", "60 Hz", "'12 frames' (200.0 ms)", "'13 frames'"),
    ),
    ("200 ms", "3 ms", 23, ("0.18 frames", "60 Hz", "'1 frames' (16.7 ms)", "timing.tolerance_ms")),
    ("200 ms", "0 frames", 23, ("timing.stimulus", "0 frames")),
    ("200 ms", "[200 ms, 205 ms]", 23, ("timing.stimulus", "205 ms", "12.30 frames")),
    ("500 ms", "510 ms", 22, ("timing.fixation:", "510 ms", "30.60 frames", "60 Hz")),
    ("500 ms", "500", 22, ("timing.fixation:", "500", "'200 ms'", "'24 frames'")),
    ("500 ms", "0.5 s", 22, ("'0.5 s'",)),
    ("500 ms", "-500 ms", 22, ("'-500 ms'",)),
    ("500 ms", "1.5 frames", 22, ("timing.fixation", "frames")),
    ("500 ms", "4000000 ms", 22, ("timing.fixation", "0")),
    ("500 ms", f"{'9' * 400} ms", 22, ("timing.fixation",)),
    ("500 ms", "500 ms\n  mask: {duration: 20 ms}", 23, ("timing.mask.duration:", "20 ms", "1.20 frames")),
    ("60\n", "75\n", 22, ("timing.fixation:", "500 ms", "37.50 frames", "75 Hz")),
    # responses
    ('{"1": up,', '{"1": left,', 24, ("'left'", "'1'", "'2'", "responses.keys")),
    ('{"1": up,', '{"1": escape,', 24, ("'escape'", "responses.quit")),
    ('{"1": up,', '{"4": up,', 24, ("'4'", "1, 2, 3")),
    ("responses:", "responses:\n  device: keybord", 25, ("'keybord'", "'keyboard'")),
    ("responses:", "responses:\n  counts: last", 25, ("window",)),
    ("responses:", "responses:\n  device: buttons", 24, ("'up'", "left, middle, right")),
    # practice and instructions
    ("[gravel]", "[grvel]", 28, ("practice.sources:", "'grvel'", "'gravel'")),
    ("[gravel]", "[gravel, brick]", 28, ("'brick'", "practice")),
    ("[gravel]", "[gravel, gravel]", 28, ("'gravel'",)),
    ("  trials: 2\n", "", 26, ("practice.trials:", "missing")),
    ("  trials: 2\n", "  trials: 0\n", 27, ("practice.trials:", "1", "0")),
    ("  en:", "  english:", 30, ("instructions", "english")),
    ("{start: hello}", "{strat: hello}", 30, ("'strat'", "'start'")),
    ("{start: hello}", "{answers: {'4': links}}", 30, ("instructions.en.answers:", "'4'", "1, 2, 3")),
    ("instructions:", "participant: {form: [name]}\ninstructions:", 29, ("'name'", "age")),
    (
        "instructions:",
        "feedback: {correct: [0, 300, 0]}\ninstructions:",
        29,
        ("255", "300"),
    ),
]


@pytest.mark.parametrize(("old", "new", "line", "told"), MISTAKES, ids=[f"{m[1][:40]!r}" for m in MISTAKES])
def test_a_mistake(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    line: int | None,
    told: tuple[str, ...],
) -> None:
    """Without the command line, which takes as long again; it ends alike for all of them."""
    monkeypatch.chdir(home)
    file = write_experiment(tmp_path, (old, new))
    options = RunOptions("simulated", data=tmp_path / "data")
    with pytest.raises(StimgenError) as caught:
        list(run_study(load_experiment(file), SessionId("01", "1"), None, options))
    assert everything_in(tmp_path) == [str(file)]
    found = str(caught.value).replace(f"{tmp_path}/", "")
    assert caught.value.exit_code == 2
    is_short(found)
    assert found.startswith(f"e.yaml:{line}: ") if line else not found.startswith("e.yaml:")
    holds(found, *told)


def test_several_mistakes_are_shown_together_in_their_order(tmp_path: Path, refused: Refused) -> None:
    write_experiment(
        tmp_path, ("name: e", "name: a b"), ("{size: 8}", "{size: x}"), ("60\n", "x\n"), ("200 ms", "200")
    )
    found = refused()
    assert re.findall(r"^e\.yaml:(\d+): ", found, re.MULTILINE) == ["1", "8", "20", "23"]


@pytest.mark.parametrize("wrong", ["205 ms", "3 ms", "16.5 ms", "1999 ms"])
def test_the_durations_of_the_hint_can_be_shown(
    tmp_path: Path, refused: Refused, home: Path, wrong: str
) -> None:
    changes = ("60\n", "60\n"), ("fixation: 500 ms", "fixation: 500 ms\n  tolerance_ms: 0.001")
    write_experiment(tmp_path, *changes, ("200 ms", wrong))
    offered = re.findall(r"'(\d+ frames)'", refused())
    assert 1 <= len(offered) <= 2
    for duration in offered:
        PreparedExperiment.prepare(
            load_experiment(write_experiment(tmp_path, *changes, ("200 ms", duration))), (home / "set",)
        )


class TestSets:
    """The set is not what the experiment, or its own records, say."""

    @pytest.fixture
    def folder(self, home: Path, tmp_path: Path) -> Path:
        """A folder of its own, with a copy of the set and the experiment."""
        shutil.copytree(home / "set", tmp_path / "own" / "set")
        write_experiment(tmp_path)
        return tmp_path / "own"

    def a_picture(self, folder: Path) -> Path:
        return sorted((folder / "set" / "images").glob("brick_fine_s1_*.png"))[0]

    def test_another_picture_under_its_name(self, folder: Path, refused: Refused) -> None:
        picture = self.a_picture(folder)
        shutil.copy(sorted((folder / "set" / "images").glob("brick_fine_s3_*.png"))[0], picture)
        found = refused(folder=folder)
        assert found.startswith(f"set/images/{picture.name}: ")
        holds(found, "hash")

    @pytest.mark.parametrize("part", ["images", "originals"])
    def test_a_missing_picture(self, folder: Path, refused: Refused, part: str) -> None:
        picture = sorted((folder / "set" / part).glob("brick*.png"))[0]
        picture.unlink()
        holds(refused(folder=folder), f"{part}/{picture.name}: ", "No such file or directory")

    def test_pictures_that_take_no_part_may_be_missing(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for picture in (folder / "set" / "images").glob("*_s5_*.png"):
            picture.unlink()
        monkeypatch.chdir(folder)
        PreparedExperiment.prepare(load_experiment(folder.parent / "e.yaml"))

    def test_a_hundred_wrong_pictures_fit_on_a_screen(self, folder: Path, refused: Refused) -> None:
        for picture in (folder / "set" / "images").glob("*.png"):
            picture.write_bytes(b"no picture")
        write_experiment(folder.parent, ("  seeds: [1, 3]\n", ""))
        holds(refused(folder=folder), "hash", "... and")

    def test_a_damaged_record(self, folder: Path, refused: Refused) -> None:
        record = sorted((folder / "set" / "records").glob("*/*.json"))[0]
        record.write_text(record.read_text()[:-20])
        holds(refused(folder=folder), f"{record.name}: ", "damaged")

    @pytest.mark.parametrize("path", ["../../e.yaml", "/etc/hostname", "images/../../../e.yaml"])
    def test_a_record_whose_picture_lies_elsewhere(self, folder: Path, refused: Refused, path: str) -> None:
        for record in (folder / "set" / "records").glob("*/*.json"):
            plain = json.loads(record.read_text())
            if plain["content"]["condition"] == "fine":
                plain["content"]["file"] = path
                record.write_text(json.dumps(plain))
        holds(refused(folder=folder), f"'{path}'", "folder")

    def test_an_unfinished_set(self, tmp_path: Path, refused: Refused) -> None:
        write_experiment(tmp_path)
        write_its_set(tmp_path / "own", unfinished=2)
        holds(refused(folder=tmp_path / "own"), "set: ", "2 of 18 stimuli", "stimgen generate")

    def test_a_set_without_stimuli(self, tmp_path: Path, refused: Refused) -> None:
        write_experiment(tmp_path)
        write_its_set(tmp_path / "own", unfinished=18)
        holds(refused(folder=tmp_path / "own"), "set: ", "18 of 18 stimuli")

    def test_one_that_had_not_converged(self, tmp_path: Path, refused: Refused) -> None:
        """Of the sets written by hand those of even seeds had not."""
        folder = tmp_path / "own"
        store = write_its_set(folder)
        for record in store.read_records():
            plain = record.to_dict()
            if record.content.seed == 3 and record.content.condition == "fine":
                plain["content"]["quality"]["converged"] = False
                file = store.folder / f"records/{record.content.id[:2]}/{record.content.id}.json"
                file.write_text(json.dumps(plain))
        write_experiment(tmp_path)
        found = refused(folder=folder)
        assert found.startswith("e.yaml:2: 3 of 12 stimuli ")
        holds(found, "brick_fine_s3_", "converged", "stimuli.not_converged: show")
        holds(found, "raise evaluations in", "from 3 to 6", "stimgen generate PROTOCOL.yaml -o ")
        write_experiment(tmp_path, ("  seeds: [1, 3]", "  seeds: [1, 3]\n  not_converged: show"))
        PreparedExperiment.prepare(load_experiment(tmp_path / "e.yaml"), (folder / "set",))

    def test_pictures_of_two_sizes(self, tmp_path: Path, refused: Refused) -> None:
        for name, source, size in (
            ("a", "brick", (32, 24)),
            ("b", "coffee", (24, 32)),
            ("c", "gravel", (32, 24)),
        ):
            write_set(tmp_path / "own" / name, Wanted((source,), ("fine", "coarse"), (1, 3), size))
        write_experiment(tmp_path, ("[set]", "[a, b, c]"))
        found = refused(folder=tmp_path / "own")
        assert found.startswith("e.yaml:8: ")
        holds(found, "24 x 32 (", "32 x 24 (")

    @pytest.mark.parametrize("given", ["nothere", "x" * 300])
    def test_a_folder_that_is_none(self, tmp_path: Path, refused: Refused, given: str) -> None:
        write_experiment(tmp_path)
        found = refused(str(tmp_path / "e.yaml"), "--participant", "01", "--stimuli", given)
        holds(found, f"{given}: ", "plan.json")

    def test_a_folder_that_is_no_set(self, home: Path, tmp_path: Path, refused: Refused) -> None:
        write_experiment(tmp_path)
        found = refused(
            str(tmp_path / "e.yaml"), "--participant", "01", "--stimuli", str(home / "set" / "images")
        )
        holds(found, "images", "stimulus set")

    def test_practice_takes_all_sources(self, tmp_path: Path, refused: Refused) -> None:
        write_experiment(
            tmp_path, ("  sources: [brick, coffee]\n", ""), ("[gravel]", "[gravel, brick, coffee]")
        )
        found = refused()
        assert found.startswith("e.yaml:27: ")
        holds(found, "practice")

    def test_an_encoding_of_another_screen_is_converted_where_asked_for(
        self, home: Path, tmp_path: Path
    ) -> None:
        file = write_experiment(
            tmp_path, ("  refresh_hz: 60", "  transfer: {linearised: 2026-01-31}\n  mismatch: convert")
        )
        room = PreparedExperiment.prepare(load_experiment(file), (home / "set",))
        assert room.pool.notes == ("the pictures of set are encoded as srgb, and shown converted to linear",)


class TestCalls:
    """The command was called with something that there is not."""

    @pytest.fixture(autouse=True)
    def _experiment(self, tmp_path: Path) -> None:
        write_experiment(tmp_path)

    @pytest.mark.parametrize("label", ["", "a b", "../01", "01/", "ä", "x" * 33, "01_"])
    @pytest.mark.parametrize("what", ["participant", "session"])
    def test_a_label_that_no_file_may_have(
        self, tmp_path: Path, refused: Refused, what: str, label: str
    ) -> None:
        given = {"participant": "01", "session": "1", what: label}
        found = refused(
            str(tmp_path / "e.yaml"), "--participant", given["participant"], "--session", given["session"]
        )
        holds(found, what, repr(label), "1 to 32 letters and digits")

    def test_a_language_that_is_not_there(self, tmp_path: Path, refused: Refused) -> None:
        found = refused(str(tmp_path / "e.yaml"), "--participant", "01", "--language", "fr")
        holds(found, "'fr'", "en, de")

    def test_an_observer_that_is_not_there(self, tmp_path: Path, refused: Refused) -> None:
        found = refused(str(tmp_path / "e.yaml"), "--participant", "01", "--observer", "simulatd")
        holds(found, "'simulatd'", "'simulated'")

    def test_an_experiment_that_is_not_there(self, refused: Refused) -> None:
        found = refused("quikstart", "--participant", "01")
        holds(found, "'quikstart'", "'quickstart'")

    def test_an_experiment_that_is_a_protocol(self, refused: Refused) -> None:
        from stimgen.reading.shipped import PROTOCOLS

        found = refused(str(PROTOCOLS.files()["smoke"]), "--participant", "01")
        holds(found, "unknown key", "smoke.yaml:")

    def test_nobody(self, tmp_path: Path, refused: Refused) -> None:
        holds(refused(str(tmp_path / "e.yaml")), "--participant")

    def test_a_session_that_is_not_there(self, tmp_path: Path, refused: Refused) -> None:
        """The sessions that exist are listed; the nearest one would be another person's."""
        journals = tmp_path / "data" / "journals"
        journals.mkdir(parents=True)
        (journals / "sub-20_ses-1_task-e.jsonl").touch()
        found = refused(str(tmp_path / "e.yaml"), "--participant", "01", "--resume")
        holds(found, "sub-01_ses-1_task-e.jsonl: ", "allowed: sub-20_ses-1_task-e.jsonl")
        assert "did you mean" not in found

    def test_a_seed_that_is_not_there(self, tmp_path: Path, refused: Refused) -> None:
        """No number is near enough to another to be meant."""
        write_experiment(tmp_path, ("  seeds: [1, 3]", "  seeds: [11]"))
        found = refused()
        holds(found, "e.yaml:6: ", "11", "allowed: 1, 3, 5")
        assert "did you mean" not in found

    @pytest.mark.parametrize("label", ["a1", "A1"])
    def test_a_participant_and_session_that_exist(
        self, home: Path, tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch, label: str
    ) -> None:
        monkeypatch.chdir(home)
        arguments = [str(tmp_path / "e.yaml"), "--session", "b", "--observer", "simulated"]
        data = ["-o", str(tmp_path / "data")]
        monkeypatch.setattr(
            sys, "argv", ["stimgen", "run", *arguments, "--participant", "a1", *data, "--quiet"]
        )
        with pytest.raises(SystemExit, match="0"):
            cli.main()
        before = contents(tmp_path)
        for session in ("b", "B"):
            found = refused(arguments[0], "--participant", label, "--session", session)
            holds(found, "participant a1", "session b", "--resume")
        assert contents(tmp_path) == before

    def test_keys_of_a_participant_without_a_number(self, tmp_path: Path, refused: Refused) -> None:
        write_experiment(tmp_path, *swap_keys_of("yes_no"))
        found = refused(str(tmp_path / "e.yaml"), "--participant", "ana")
        assert found.startswith("e.yaml:21: responses.swap: ")

    def test_keys_of_places_cannot_be_swapped(self, tmp_path: Path, refused: Refused) -> None:
        write_experiment(tmp_path, ("responses:", "responses:\n  swap: true"))
        found = refused(str(tmp_path / "e.yaml"), "--participant", "01")
        holds(found, "e.yaml:25: swap: true", "oddity", "places", "leave out swap")

    def test_keys_that_name_other_answers_cannot_be_swapped(self, tmp_path: Path, refused: Refused) -> None:
        write_experiment(tmp_path, *swap_keys_of("two_afc"))
        found = refused(str(tmp_path / "e.yaml"), "--participant", "01")
        holds(found, "e.yaml:22: swap: true", "'2'", "'1'", "f and j")

    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            ('{"1": up,', '{"1": left,', "'left'"),
            ("repetitions: 3", "repetitions: 2", "3 combinations"),
        ],
    )
    def test_a_list_of_trials_is_refused_too(
        self, tmp_path: Path, refused: Refused, old: str, new: str, told: str
    ) -> None:
        write_experiment(tmp_path, (old, new))
        holds(refused(str(tmp_path / "e.yaml"), "--participant", "01", command="trials"), told)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
