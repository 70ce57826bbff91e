"""Networks from a user's own file: run only if trusted, identified by their code, the same everywhere."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from stimgen import StimgenError, StimulusSet, synthesize, trust
from stimgen.cli.main import app
from stimgen.networks import trusted_code
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.reading.identity import sha256_bytes, sha256_file
from stimgen.workflow.generate import GenerateOptions, generate_set

CODE = Path(__file__).parents[1] / "own_network.py"
PROTOCOL = """
name: own
preparation: {size: 32, channels: colour}
sources: [{file: "skimage:coffee"}, {file: "skimage:chelsea"}]
network: {name: module, file: mynet.py, class: Recurrent, weights: random}
synthesis: {scales: 1, evaluations: 3}
conditions:
  - {id: texture, depth: V2.relu_2}
  - {id: metamer, layers: [V1.relu_1], statistic: content}
"""


@pytest.fixture(autouse=True)
def _trust_nothing() -> Iterator[None]:
    before = set(trusted_code._trusted)
    trusted_code._trusted.clear()
    yield
    trusted_code._trusted.clear()
    trusted_code._trusted.update(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(PROTOCOL)
    shutil.copy(CODE, tmp_path / "mynet.py")
    return tmp_path


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if isinstance(result.exception, StimgenError):
        return 2, str(result.exception)  # as `main` prints it
    return result.exit_code, result.output


def test_code_does_not_run_unasked(folder: Path) -> None:
    (folder / "mynet.py").write_text(f"open({str(folder / 'ran')!r}, 'w').close()\n")
    for command in ("plan", "generate", "show"):
        code, said = run(command, folder / "p.yaml")
        assert code == 2
        assert "p.yaml:5: network: mynet.py is Python code" in said
        assert "--trust" in said
        assert len(said.splitlines()) < 6
    assert not (folder / "ran").exists()


def test_shards_and_verify_give_the_same_pictures(folder: Path) -> None:
    protocol, mynet = folder / "p.yaml", folder / "mynet.py"
    assert run("generate", protocol, "--trust", mynet, "-o", folder / "whole", "-q")[0] == 0
    for i in (1, 2):
        shard = ("--shard", f"{i}/2")
        assert run("generate", protocol, "--trust", mynet, "-o", folder / "parts", "-q", *shard)[0] == 0
    assert run("merge", folder / "parts")[0] == 0
    whole, parts = StimulusSet(folder / "whole"), StimulusSet(folder / "parts")
    assert {key: one.content for key, one in whole.records.items()} == {
        key: one.content for key, one in parts.records.items()
    }
    verify = ("verify", folder / "whole", "--resynthesize", "1", "--root", folder)
    code, said = run(*verify, "--trust", mynet)
    assert (code, "identical" in said) == (0, True)


def test_the_set_tells_which_code_made_it(folder: Path) -> None:
    trust(folder / "mynet.py")
    generate_set(load_protocol(folder / "p.yaml"), folder / "set", GenerateOptions("cpu"))
    (code,) = json.loads((folder / "set" / "plan.json").read_bytes())["protocol"]["code"]
    assert sha256_bytes(code["text"].encode()) == code["sha256"] == sha256_file(CODE)
    content = next(iter(StimulusSet(folder / "set").records.values())).content
    assert content.terms[0]["network"]["code_sha256"] == code["sha256"]
    assert str(folder) not in json.dumps(content.to_dict())


def test_changed_code_is_another_network_and_is_not_trusted(folder: Path) -> None:
    trust(folder / "mynet.py")
    before = [stimulus.id for stimulus in make_plan(load_protocol(folder / "p.yaml")).stimuli]
    (folder / "mynet.py").write_text(CODE.read_text() + "# changed\n")
    with pytest.raises(StimgenError, match="does not run unasked"):
        load_protocol(folder / "p.yaml")
    trust(folder / "mynet.py")
    after = [stimulus.id for stimulus in make_plan(load_protocol(folder / "p.yaml")).stimuli]
    assert not set(before) & set(after)


def test_the_folder_and_the_name_of_the_file_do_not_matter(folder: Path) -> None:
    trust(folder / "mynet.py")
    ids = [stimulus.id for stimulus in make_plan(load_protocol(folder / "p.yaml")).stimuli]
    (folder / "nets").mkdir()
    shutil.move(folder / "mynet.py", folder / "nets" / "other.py")
    (folder / "p.yaml").write_text(PROTOCOL.replace("mynet.py", "nets/other.py"))
    assert [stimulus.id for stimulus in make_plan(load_protocol(folder / "p.yaml")).stimuli] == ids


def test_weights_of_the_class_are_read_from_a_file(folder: Path) -> None:
    trust(folder / "mynet.py")
    network = load_protocol(folder / "p.yaml").protocol.network
    model = network.code.build_model("Recurrent")
    save_file(model.state_dict(), folder / "w.safetensors")
    given = f"weights: {{file: w.safetensors, sha256: {sha256_file(folder / 'w.safetensors')}}}"
    ids = {}
    for weights in ("weights: none", given):
        (folder / "p.yaml").write_text(PROTOCOL.replace("weights: random", weights))
        made = generate_set(load_protocol(folder / "p.yaml"), folder / weights[9:13], GenerateOptions("cpu"))
        assert made.made == 4
        images = StimulusSet(folder / weights[9:13])
        ids[weights] = [images.image(key).tobytes() for key in images.records]
    assert ids["weights: none"] == ids[given]  # the class gives itself the same numbers each time


def test_from_python_without_a_protocol(folder: Path) -> None:
    trust(folder / "mynet.py")
    network = {"name": "module", "file": str(folder / "mynet.py"), "class": "Recurrent"}
    found = synthesize(
        "skimage:coffee", size=32, network=network, depth="V1.relu", synthesis={"evaluations": 2}
    )
    assert found.images.shape == (1, 32, 32, 3)


NET = "import torch\nfrom torch import nn\nclass Recurrent(nn.Module):\n  def __init__(self):\n"
BODY = "    super().__init__()\n    self.V1 = nn.Conv2d(3, 4, 3)\n  def forward(self, x):\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("class Recurrant: pass\n", "has no class 'Recurrent' that is a torch.nn.Module"),
        ("import torch\nclass A(:\n", "mynet.py:2: SyntaxError"),
        ("x = 1\nraise ValueError('mine')\n", "mynet.py:2: ValueError: mine"),
        ("import no_such_package\n", "mynet.py:1: ModuleNotFoundError"),
        (
            NET.replace("(self)", "(self, n)") + BODY + "    return x\n",
            "missing 1 required positional argument: 'n'",
        ),
        (NET + BODY + "    return self.V2(x)\n", "mynet.py:8: AttributeError"),
        (
            NET + BODY + "    if x.mean() > 0:\n      x = x + 1\n    return self.V1(x)\n",
            "mynet.py:8: TraceError",
        ),
        (NET + BODY + "    return x.mean((2, 3)).sum(1)\n", "has no layer with maps"),
    ],
)
def test_code_that_cannot_be_a_network(code: str, said: str, folder: Path) -> None:
    (folder / "mynet.py").write_text(code)
    status, output = run("plan", folder / "p.yaml", "--trust", folder / "mynet.py")
    assert status == 2
    assert said in output
    assert "p.yaml:5: network: " in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("file: mynet.py", "file: none.py"), "none.py"),
        (("file: mynet.py", "file: ../mynet.py"), "the code lies outside of"),
        (("class: Recurrent, ", ""), "network.class"),
        (("[V1.relu_1]", "[V1.relu_7]"), "did you mean 'V1.relu_1'?"),
        (("class: Recurrent", "class: Recurrent, sha256: " + "a" * 64), "not aaaaaaaa"),
    ],
)
def test_protocols_that_name_something_else(change: tuple[str, str], said: str, folder: Path) -> None:
    (folder / "p.yaml").write_text(PROTOCOL.replace(*change))
    trust(folder / "mynet.py")
    with pytest.raises(StimgenError) as caught:
        load_protocol(folder / "p.yaml")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda state: {key: torch.full_like(value, torch.nan) for key, value in state.items()},
            "not finite",
        ),
        (lambda state: {key: value[..., :1].clone() for key, value in state.items()}, "has shape"),
        (lambda state: {"other": next(iter(state.values()))}, "have no tensor 'V1.input.weight'"),
    ],
)
def test_weights_that_do_not_fit(change: object, said: str, folder: Path) -> None:
    trust(folder / "mynet.py")
    model = load_protocol(folder / "p.yaml").protocol.network.code.build_model("Recurrent")
    save_file(change(model.state_dict()), folder / "w.safetensors")
    given = f"weights: {{file: w.safetensors, sha256: {sha256_file(folder / 'w.safetensors')}}}"
    (folder / "p.yaml").write_text(PROTOCOL.replace("weights: random", given))
    with pytest.raises(StimgenError) as caught:
        generate_set(load_protocol(folder / "p.yaml"), folder / "set", GenerateOptions("cpu"))
    assert said in str(caught.value)
    assert "p.yaml:5: " in str(caught.value)
    assert not (folder / "set").exists()


def test_the_class_of_the_documentation(folder: Path) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "protocols.md"
    (code,) = re.findall(r"<!-- own-network -->\n```python\n(.*?)```", page.read_text(), flags=re.DOTALL)
    (folder / "mynet.py").write_text(code)
    assert run("plan", folder / "p.yaml", "--trust", folder / "mynet.py")[0] == 0
