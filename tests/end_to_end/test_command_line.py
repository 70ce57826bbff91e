"""The command line: what it prints, its exit codes, and what it says of bad input."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import platform
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from stimgen.cli import main as cli
from stimgen.experiment.schema.load import load_experiment
from stimgen.networks.vgg19 import Vgg19
from stimgen.protocol.load import load_protocol
from stimgen.reading.shipped import EXPERIMENTS, PROTOCOLS
from stimgen.workflow.list_members import find_members

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 15

COMMANDS = [
    *("plan", "generate", "show", "verify", "repair", "merge", "cite", "export", "confounds", "report"),
    *("features", "power", "predict", "trials", "run", "display-check", "tabulate", "replay", "withdraw"),
    *("freeze", "analyze", "match", "sources", "layers", "list", "schema", "doctor", "bench"),
    "weights normalize",
]

TINY = """\
name: tiny
preparation: {size: 16}
sources:
  - file: "skimage:brick"
network:
  weights: random
synthesis: {scales: 1, evaluations: 2}
conditions:
  - {id: a, layers: [relu1_1]}
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["stimgen", *arguments])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        found = capsys.readouterr()
        return Ended(code, found.out, found.err)

    return call


def refused(ended: Ended) -> str:
    """Return the message of a command that a user's mistake ended."""
    assert ended.code == 2
    assert ended.out == ""
    assert "Traceback" not in ended.err
    lines = ended.err.rstrip("\n").split("\n")
    assert 1 <= len(lines) <= LONGEST
    assert all(line.isprintable() for line in lines)
    return ended.err


def protocol(folder: Path, text: str = TINY) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "p.yaml").write_text(text, encoding="utf-8")
    return folder / "p.yaml"


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_has_one(self, run: Run, command: str) -> None:
        assert f"  {command.split()[0]} " in run("--help").out
        ended = run(*command.split(), "--help")
        assert ended.code == 0
        assert ended.out.lstrip().startswith(f"Usage: stimgen {command}")

    def test_the_list_of_commands_is_whole_and_no_line_is_cut(self, run: Run) -> None:
        text = run("--help").out
        named = re.findall(r"^  ([a-z][a-z-]+)  ", text, flags=re.MULTILINE)
        assert sorted(named) == sorted({command.split()[0] for command in COMMANDS})
        assert "..." not in text.split("Make stimulus sets")[1]

    def test_the_version_is_the_installed_one(self, run: Run) -> None:
        ended = run("--version")
        assert (ended.code, ended.out) == (0, f"stimgen {metadata.version('stimgen')}\n")

    def test_the_options_of_generate(self, run: Run) -> None:
        text = run("generate", "--help").out
        assert all(option in text for option in ("-o", "--device", "--batch-size", "--quiet", "--root"))

    def test_needs_neither_torch_nor_pydantic(self) -> None:
        """In a process of its own: this one has loaded them long ago."""
        code = (
            "import sys; sys.argv = ['stimgen', '--help']; from stimgen.cli import main as cli\n"
            "try: cli.main()\n"
            "except SystemExit: pass\n"
            "heavy = {'torch', 'pydantic', 'numpy', 'yaml', 'PIL', 'pandas'} & sys.modules.keys()\n"
            "sys.exit(f'imported: {heavy}' if heavy else 0)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "generate" in done.stdout

    @pytest.mark.parametrize(("variable", "spins"), [("OMP_PLACES", "1000"), ("OMP_WAIT_POLICY", None)])
    def test_waiting_threads_give_up_their_cores(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, spins: str | None
    ) -> None:
        monkeypatch.delenv("GOMP_SPINCOUNT")
        monkeypatch.setenv(variable, "ACTIVE")
        assert run("--help").code == 0
        assert os.environ.get("GOMP_SPINCOUNT") == spins

    @pytest.mark.parametrize(
        "arguments",
        [
            (),
            ("plan",),
            ("plann", "smoke"),
            ("plan", "smoke", "--jsn"),
            ("generate", "smoke", "--batch-size", "x"),
        ],
    )
    def test_a_command_that_is_none(self, run: Run, arguments: tuple[str, ...]) -> None:
        ended = run(*arguments)
        assert ended.code == 2
        assert "Usage: stimgen" in ended.out + ended.err
        assert "Traceback" not in ended.err


class TestSchema:
    def test_is_the_one_that_is_shipped(self, run: Run) -> None:
        shipped = (ROOT / "protocols" / "protocol.schema.json").read_text(encoding="utf-8")
        assert run("schema").out == shipped, "run `stimgen schema -o protocols/protocol.schema.json`"

    def test_that_of_experiments_is_the_one_that_is_shipped(self, run: Run) -> None:
        shipped = (ROOT / "protocols" / "experiment.schema.json").read_text(encoding="utf-8")
        assert run("schema", "--experiment").out == shipped, (
            "run `stimgen schema --experiment -o protocols/experiment.schema.json`"
        )

    def test_goes_to_a_file(self, run: Run, tmp_path: Path) -> None:
        assert run("schema", "-o", "s.json") == Ended(0, "", "")
        assert (tmp_path / "s.json").read_text(encoding="utf-8") == run("schema").out

    def test_describes_every_shipped_protocol_and_no_unknown_key(self, run: Run) -> None:
        schema = json.loads(run("schema").out)
        validator = jsonschema.Draft202012Validator(schema)
        validator.check_schema(schema)
        assert PROTOCOLS.files()
        for file in PROTOCOLS.files().values():
            data = load_protocol(file).document.data
            assert list(validator.iter_errors(data)) == []
            assert not validator.is_valid(data | {"unknwon": 1})
            data["conditions"][0]["unknwon"] = 1
            assert not validator.is_valid(data)

    def test_describes_every_shipped_experiment_and_no_unknown_key(self, run: Run) -> None:
        schema = json.loads(run("schema", "--experiment").out)
        validator = jsonschema.Draft202012Validator(schema)
        validator.check_schema(schema)
        for file in EXPERIMENTS.files().values():
            data = load_experiment(file).document.data
            assert list(validator.iter_errors(data)) == []
            for change in ({"unknwon": 1}, {"paradigm": "oddty"}, {"schedule": 3}, {"stimuli": {"sets": []}}):
                assert not validator.is_valid(data | change)

    def test_a_place_that_cannot_be_written(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert "file/s.json: cannot be written: " in refused(run("schema", "-o", "file/s.json"))


class TestList:
    def test_has_a_line_for_every_member(self, run: Run) -> None:
        lines = run("list").out.splitlines()
        assert [line for line in lines if not line.startswith(" ")] == list(find_members())
        for name, summary in (entry for family in find_members().values() for entry in family.items()):
            assert any(line.split(maxsplit=1) == [name, summary] for line in lines)
        assert {"quickstart", "smoke"} <= find_members()["protocols"].keys()
        assert {"oddity", "abx"} <= find_members()["paradigms"].keys()
        assert "known sensitivity" in find_members()["observers"]["simulated"]

    def test_without_torch_has_what_an_experiment_can_choose_from(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "torch", None)
        found = json.loads(run("list", "--json").out)
        assert list(found) == ["paradigms", "schedules", "questions", "triggers", "observers", "experiments"]

    def test_is_json_if_asked(self, run: Run) -> None:
        found = json.loads(run("list", "--json").out)
        assert found["protocols"]["smoke"].startswith("Tiny stimuli")


class TestDoctor:
    def test_names_versions_devices_weights_and_places(self, run: Run) -> None:
        found = json.loads(run("doctor", "--json").out)
        assert found["versions"]["torch"] == metadata.version("torch")
        assert found["devices"]["cpu"] == "cpu"
        assert found["weights"]["random"] == "always available"
        assert found["places"]["current folder"] == "writable"
        text = run("doctor").out
        assert all(f"\n{heading}\n" in f"\n{text}" for heading in found)

    @pytest.mark.parametrize("cached", [False, True])
    def test_is_safe_to_show_to_anybody(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cached: bool
    ) -> None:
        home = tmp_path / "home" / "ana-private"
        home.mkdir(parents=True)
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("USER", "ana-private")
        monkeypatch.setenv("LOGNAME", "ana-private")
        monkeypatch.setattr(platform, "node", lambda: "secret-host")
        monkeypatch.setattr(socket, "gethostname", lambda: "secret-host")
        cache = (home if cached else tmp_path / "lab-of-ana") / "cache"
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(cache))
        text = run("doctor").out + run("doctor", "--json").out
        for word in (str(home), str(tmp_path), "ana-private", "lab-of-ana", "secret-host"):
            assert word not in text
        assert ("~/cache/checkpoints/vgg19-" if cached else ".../checkpoints/vgg19-") in text

    def test_sees_what_is_not_writable(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)
        found = json.loads(run("doctor", "--json").out)
        assert set(found["places"].values()) == {"not writable"}


class TestPlan:
    def test_prints_what_a_protocol_stands_for(self, run: Run) -> None:
        ended = run("plan", "smoke")
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.startswith("smoke: 24 stimuli, about ")
        for part in (
            "brick skimage:brick, 32 x 32 px, grey",
            "coffee skimage:coffee, 32 x 32 px, colour",
            "Condition shallow: 8 stimuli",
            "parameters 2,080 per source",
            "evaluations 12 at 16 x 16 px, then 12 at 32 x 32 px",
            "Condition texform: 8 stimuli",
            "parameters 50,064 per source",
            "statistic Gram matrices of feature maps (centred",
            "layers relu1_1, relu1_2, pool1, scale1, scale2 (weight 0.2 each)",
            "regions pooling regions on a grid (rows = 2, columns = 2, overlap = 0.5)",
        ):
            assert part in re.sub(" +", " ", ended.out)

    def test_prints_json(self, run: Run) -> None:
        ended = run("plan", "smoke", "--json")
        assert (ended.code, ended.err) == (0, "")
        found = json.loads(ended.out)
        layers = ["relu1_1", "relu1_2", "pool1", "scale1", "scale2"]
        assert [(c["id"], c["layers"], c["parameters"], c["stimuli"]) for c in found["conditions"]] == [
            ("shallow", ["relu1_1"], 2_080, 8),
            ("texture", layers, 12_516, 8),
            ("texform", layers, 4 * 12_516, 8),
        ]
        assert len(found["stimuli"]) == 24
        assert found["stimuli"][0].keys() == {"id", "source", "condition", "seed"}

    def test_makes_nothing(self, run: Run, tmp_path: Path) -> None:
        assert run("plan", "smoke").code == 0
        assert everything_in(tmp_path) == []

    def test_takes_sources_from_a_root(self, run: Run, tmp_path: Path) -> None:
        Image.new("RGB", (20, 20), (200, 30, 30)).save(tmp_path / "outside.png")
        file = protocol(tmp_path / "study", TINY.replace("skimage:brick", "../outside.png"))
        message = refused(run("plan", str(file)))
        assert message.startswith(f"{file}:4: the source lies outside of {tmp_path}/study\n")
        assert "--root FOLDER" in message
        assert run("plan", str(file), "--root", ".").code == 0

    def test_other_letters_and_marks_are_printed_as_they_are(self, run: Run, tmp_path: Path) -> None:
        Image.new("L", (20, 20)).save(tmp_path / "caf\u00e9 [x].png")
        text = TINY.replace('"skimage:brick"', '"caf\u00e9*"')
        (tmp_path / "caf\u00e9.txt").write_text("no picture")
        printed = run("plan", str(protocol(tmp_path, text))).out
        assert "cafe-x  caf\u00e9 [x].png, 16 x 16 px, grey" in printed
        assert "skipped, because they are no pictures: caf\u00e9.txt\n" in printed

    @pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
    def test_other_encodings_are_no_obstacle(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
    ) -> None:
        Image.new("L", (20, 20)).save(tmp_path / "\u6f22\xe9.png")
        protocol(tmp_path, TINY.replace('"skimage:brick"', '"\u6f22\xe9.png"\n    id: x'))
        for arguments in (("plan", "p.yaml"), ("plan", "p.yaml", "--json")):
            terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
            with monkeypatch.context() as patch:
                patch.setattr(sys, "stdout", terminal)
                assert run(*arguments).code == 0
            terminal.flush()
            text = terminal.buffer.getvalue().decode(encoding)
            if "--json" in arguments:
                assert json.loads(text)["sources"][0]["file"] == "\u6f22\xe9.png"
            else:
                assert ("\u6f22\xe9.png" if encoding == "utf-8" else "\\u6f22\xe9.png") in text


class TestGenerate:
    def test_tells_where_the_pictures_are(self, run: Run, tmp_path: Path) -> None:
        protocol(tmp_path)
        ended = run("generate", "p.yaml", "-o", "set", "--device", "cpu")
        assert ended.code == 0
        assert "1 stimulus made in " in ended.out
        for name in ("set/images", "set/contact_sheet.png", "set/manifest.json"):
            assert str(Path(name)) in ended.out
            assert (tmp_path / name).exists()
        again = run("generate", "p.yaml", "-o", "set")
        assert "1 of 1 stimulus existed already\n0 stimuli made" in again.out
        assert run("verify", "set").out == "set: 1 of 1 stimuli checked, no problems\n"
        assert json.loads(run("verify", "set", "--json").out)["sound"] is True

    def test_quiet_prints_nothing(self, run: Run, tmp_path: Path) -> None:
        protocol(tmp_path)
        assert run("generate", "p.yaml", "--quiet", "--batch-size", "1") == Ended(0, "", "")
        assert (tmp_path / "sets" / "tiny" / "manifest.json").is_file()

    def test_prints_json(self, run: Run, tmp_path: Path) -> None:
        protocol(tmp_path)
        ended = run("generate", "p.yaml", "-o", "set", "--json")
        assert (ended.code, ended.err) == (0, "")
        assert json.loads(ended.out) == {
            "folder": "set",
            "planned": 1,
            "existed": 0,
            "made": 1,
            "failures": {},
        }

    def test_quiet_still_tells_of_mistakes(self, run: Run) -> None:
        assert "no such file" in refused(run("generate", "nothere.yaml", "--quiet"))

    def test_verify_finds_a_changed_picture(self, run: Run, tmp_path: Path) -> None:
        protocol(tmp_path)
        run("generate", "p.yaml", "-o", "set", "--quiet")
        (file,) = (tmp_path / "set" / "images").glob("*.png")
        Image.new("L", (16, 16), 7).save(file)
        ended = run("verify", "set")
        assert ended.code == 1
        assert f"images/{file.name}: its bytes do not match its record" in ended.err
        assert "set: 1 of 1 stimuli checked, problems: 1" in ended.out


class TestBadProtocol:
    """A sample of each kind; tests/faults has them all."""

    @pytest.mark.parametrize("command", ["plan", "generate"])
    @pytest.mark.parametrize(
        ("old", "new", "line", "told"),
        [
            ("name: tiny", "name: [tiny", 2, "not valid YAML"),
            ("name: tiny", "name: tiny\nname: tiny", 2, "the key 'name' appears twice"),
            ("weights: random", "weights: *w", 6, "anchors and aliases"),
            ("weights: random", "weights: !!python/name:os.system", 6, "the tag"),
            ("weights: random", "weights: rndom", 6, "did you mean 'random'?"),
            ("size: 16", "size: '16'", 2, "should be a valid integer, not '16'"),
            ("size: 16", "size: 5000", 2, "should be less than or equal to 4096, not 5000"),
            ("relu1_1", "rel1_1", 9, "vgg19 has no layer 'rel1_1'"),
            ("relu1_1", "pool5", 9, "a picture side of 16 pixels is too small"),
            ("{id: a,", "{id: a, seeds: [-1],", 9, "should be greater than or equal to 0, not -1"),
            ("{id: a,", "{id: a, seeds: {count: 1000000},", None, "too many for one folder"),
        ],
    )
    def test_is_refused(
        self, run: Run, tmp_path: Path, command: str, old: str, new: str, line: int | None, told: str
    ) -> None:
        protocol(tmp_path, TINY.replace(old, new))
        message = refused(run(command, "p.yaml"))
        assert message.startswith(f"p.yaml:{line}: " if line else "p.yaml:")
        assert told in message
        assert everything_in(tmp_path) == ["p.yaml"]

    def test_an_unknown_layer_is_answered_with_the_networks_layers(self, run: Run, tmp_path: Path) -> None:
        protocol(tmp_path, TINY.replace("relu1_1", "relu11"))
        message = refused(run("plan", "p.yaml"))
        assert all(layer in message for layer in Vgg19().layers())
        assert "did you mean 'relu1_1'?" in message

    def test_a_name_that_is_none(self, run: Run) -> None:
        message = refused(run("plan", "quickstrat"))
        assert "neither a file nor a shipped protocol" in message
        assert "did you mean 'quickstart'?" in message

    def test_too_large(self, run: Run, tmp_path: Path) -> None:
        protocol(tmp_path, TINY + "#" * 1_000_000)
        assert refused(run("plan", "p.yaml")) == "p.yaml: larger than 1,000,000 bytes\n"

    def test_a_picture_given_for_a_protocol(self, run: Run, tmp_path: Path) -> None:
        Image.new("L", (20, 20)).save(tmp_path / "x.png")
        assert refused(run("plan", "x.png")) == "x.png:1: not UTF-8 text\n"


class TestBadSource:
    @pytest.fixture
    def picture(self) -> Image.Image:
        return Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))

    def refusal(self, run: Run, folder: Path) -> str:
        protocol(folder, TINY.replace('"skimage:brick"', "x.png"))
        before = everything_in(folder)
        message = refused(run("generate", str(folder / "p.yaml"), "-o", str(folder / "set")))
        assert message.startswith(f"{folder}/p.yaml:4: ")
        assert not (folder / "set" / "images").exists()
        assert [path for path in everything_in(folder) if not path.startswith("set")] == before
        return message

    def test_missing(self, run: Run, tmp_path: Path) -> None:
        assert "x.png: no such image file" in self.refusal(run, tmp_path)

    def test_empty(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "x.png").touch()
        assert "x.png: the image file is empty" in self.refusal(run, tmp_path)

    def test_no_image(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "x.png").write_text("hello")
        assert "x.png: not an image that can be read" in self.refusal(run, tmp_path)

    def test_truncated(self, run: Run, tmp_path: Path, picture: Image.Image) -> None:
        picture.save(tmp_path / "x.png")
        (tmp_path / "x.png").write_bytes((tmp_path / "x.png").read_bytes()[:5000])
        assert "x.png: the image is damaged or truncated" in self.refusal(run, tmp_path)

    def test_wrong_mode(self, run: Run, tmp_path: Path, picture: Image.Image) -> None:
        picture.convert("CMYK").save(tmp_path / "x.png", "TIFF")
        assert "'CMYK' has no fixed meaning as colours" in self.refusal(run, tmp_path)

    def test_transparent(self, run: Run, tmp_path: Path, picture: Image.Image) -> None:
        picture.putalpha(100)
        picture.save(tmp_path / "x.png")
        assert "has transparent parts" in self.refusal(run, tmp_path)

    def test_too_small(self, run: Run, tmp_path: Path, picture: Image.Image) -> None:
        picture.resize((15, 20)).save(tmp_path / "x.png")
        message = self.refusal(run, tmp_path)
        assert "would enlarge it" in message
        assert "choose a size up to 15" in message

    def test_a_bad_source_that_is_mended_lets_the_set_be_made(
        self, run: Run, tmp_path: Path, picture: Image.Image
    ) -> None:
        text = TINY.replace('  - file: "skimage:brick"', '  - file: "skimage:brick"\n  - file: x.png')
        protocol(tmp_path, text)
        picture.convert("CMYK").save(tmp_path / "x.png", "TIFF")
        refused(run("generate", "p.yaml", "-o", "set"))
        picture.save(tmp_path / "x.png")
        assert run("generate", "p.yaml", "-o", "set", "--quiet") == Ended(0, "", "")


class TestBadWeights:
    @staticmethod
    def with_weights(file: Path, sha256: str | None = None) -> str:
        found = sha256 or hashlib.sha256(file.read_bytes()).hexdigest()
        return TINY.replace("random", f'{{name: file, file: {file.name}, sha256: "{found}"}}')

    def refusal(self, run: Run, folder: Path, text: str) -> str:
        protocol(folder, text)
        message = refused(run("generate", "p.yaml", "-o", "set"))
        assert not (folder / "set" / "images").exists()
        assert not list((folder / "set").rglob("*.json.*"))
        return message

    def test_missing(self, run: Run, tmp_path: Path) -> None:
        message = self.refusal(run, tmp_path, self.with_weights(tmp_path / "w.pth", "0" * 63 + "a"))
        assert "w.pth: the weights cannot be read: No such file" in message

    def test_wrong_hash(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "w.pth").write_bytes(b"x")
        message = self.refusal(run, tmp_path, self.with_weights(tmp_path / "w.pth", "0" * 63 + "a"))
        assert hashlib.sha256(b"x").hexdigest() in message
        assert "0" * 63 + "a" in message

    def test_a_hash_that_is_none(self, run: Run, tmp_path: Path) -> None:
        message = self.refusal(run, tmp_path, self.with_weights(tmp_path / "w.pth", "abc"))
        assert message.startswith("p.yaml:6: network.weights.sha256: should match pattern")

    def test_wrong_shape(self, run: Run, tmp_path: Path) -> None:
        state = {"features.0.weight": torch.zeros(64, 1, 3, 3), "features.0.bias": torch.zeros(64)}
        save_file(state, tmp_path / "w.safetensors")
        message = self.refusal(run, tmp_path, self.with_weights(tmp_path / "w.safetensors"))
        assert "'features.0.weight' has shape (64, 1, 3, 3); vgg19 needs (64, 3, 3, 3)" in message

    def test_of_another_network(self, run: Run, tmp_path: Path) -> None:
        torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "w.pth")
        message = self.refusal(run, tmp_path, self.with_weights(tmp_path / "w.pth"))
        assert "'features.0.weight'" in message

    def test_pickled_code_is_not_run(self, run: Run, tmp_path: Path) -> None:
        class Evil:
            def __reduce__(self) -> tuple[object, ...]:
                return Path.touch, (tmp_path / "owned",)

        (tmp_path / "w.pth").write_bytes(pickle.dumps(Evil()))
        message = self.refusal(run, tmp_path, self.with_weights(tmp_path / "w.pth"))
        assert "the weights cannot be read" in message
        assert not (tmp_path / "owned").exists()

    def test_damaged(self, run: Run, tmp_path: Path) -> None:
        for name in ("w.safetensors", "w.pth"):
            (tmp_path / name).write_bytes(b"PK\x03\x04 no weights")
            message = self.refusal(run, tmp_path, self.with_weights(tmp_path / name))
            assert f"{name}: the weights cannot be read" in message


class TestBadPlace:
    @pytest.mark.parametrize("output", ["file", "file/below", "file/deep/below"])
    def test_a_folder_that_cannot_be_made(self, run: Run, tmp_path: Path, output: str) -> None:
        protocol(tmp_path)
        (tmp_path / "file").write_text("precious")
        message = refused(run("generate", "p.yaml", "-o", output))
        assert message.startswith(f"{output}: cannot be used as a set's folder: ")
        assert (tmp_path / "file").read_text() == "precious"

    def test_a_folder_that_holds_something_else(self, run: Run, tmp_path: Path) -> None:
        protocol(tmp_path)
        (tmp_path / "thesis").mkdir()
        (tmp_path / "thesis" / "chapter.tex").write_text("precious")
        message = refused(run("generate", "p.yaml", "-o", "thesis"))
        assert message.startswith("thesis: the folder holds something else ('chapter.tex')")
        assert everything_in(tmp_path / "thesis") == ["chapter.tex"]

    @pytest.mark.parametrize("folder", ["nothere", "."])
    def test_verifying_what_is_no_set(self, run: Run, folder: str) -> None:
        assert "plan.json is missing" in refused(run("verify", folder))


class TestBadOption:
    @pytest.mark.parametrize(
        "device", ["cuda:99", "cuda:-1", "gpu", "", "meta", "cpu:1", "cuda:x", "cuda:0x0"]
    )
    @pytest.mark.parametrize("arguments", [("generate", "p.yaml"), ("plan", "p.yaml", "--probe")])
    def test_a_device_that_is_not_there(
        self, run: Run, tmp_path: Path, arguments: tuple[str, ...], device: str
    ) -> None:
        protocol(tmp_path)
        message = refused(run(*arguments, "--device", device))
        assert f"'{device}'" in message
        assert "allowed: auto, cpu" in message
        assert everything_in(tmp_path) == ["p.yaml"]

    @pytest.mark.parametrize("size", ["0", "-3", "4097", "1000000000"])
    def test_a_batch_size_out_of_range(self, run: Run, tmp_path: Path, size: str) -> None:
        protocol(tmp_path)
        message = refused(run("generate", "p.yaml", "--batch-size", size))
        assert message == f"a batch size of {size} is out of range (1 to 4096)\n"
        assert everything_in(tmp_path) == ["p.yaml"]


def test_python_m_stimgen_is_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stimgen", "plan", "nothere.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("nothere.yaml: no such file")


def test_the_installed_command(tmp_path: Path) -> None:
    """Once for real: entry point, exit code, and nothing but the message on the error stream."""
    protocol(tmp_path, TINY.replace("relu1_1", "relu11"))
    command = [str(Path(sys.executable).with_name("stimgen")), "plan", "p.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "p.yaml:9: conditions[0]: vgg19 has no layer 'relu11'\n  allowed: conv1_1, "
    )
    assert done.stderr.count("\n") == 3
