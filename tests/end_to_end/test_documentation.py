"""What the documentation shows works as it is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hand_made import Wanted, write_set
from PIL import Image
from planned_set import write_planned_set
from typer.testing import CliRunner

import stimgen
from stimgen.cli.main import app
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.journal import Journal, read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.schema.schema import Experiment
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.protocol.schema import Condition, Protocol, SourceSpec
from stimgen.reading.document import parse_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import validate
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.term import Term
from stimgen.workflow.list_members import FAMILIES
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.study import SessionId, run_study
from stimgen.workflow.trials import list_trials

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_the_readmes_protocol(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for name, grey in (("one", 60), ("two", 90)):
        Image.new("RGB", (300, 280), (120, 90, grey)).save(tmp_path / "photos" / f"{name}.jpg")
    (protocol,) = blocks("README.md", "yaml")
    assert len(protocol.strip().splitlines()) <= 10
    (tmp_path / "my-study.yaml").write_text(protocol)
    plan = make_plan(load_protocol(tmp_path / "my-study.yaml"))
    assert len(plan.stimuli) == 2 * 3 * 10
    assert [condition.method.count_parameters(256, 256) for condition in plan.conditions] == [
        12_516,
        42_504,
        4 * 12_516,
    ]


def test_the_conditions_of_the_protocols_page(tmp_path: Path) -> None:
    (conditions,) = [block for block in blocks("docs/protocols.md", "yaml") if "two-terms" in block]
    (tmp_path / "p.yaml").write_text(f"name: p\nsources: [{{file: skimage:coffee}}]\n{conditions}")
    plan = make_plan(load_protocol(tmp_path / "p.yaml"))
    terms = [condition.method.terms for condition in plan.conditions]
    assert [len(found) for found in terms] == [1, 1, 1, 2]
    assert plan.conditions[2].method.count_parameters(256, 256) == 176_640
    assert [found[0].statistic.centred for found in terms] == [True, True, False, True]
    assert not terms[3][1].statistic.centred


def test_the_terms_of_pixels_on_the_protocols_page(tmp_path: Path) -> None:
    (conditions,) = [block for block in blocks("docs/protocols.md", "yaml") if "pixels" in block]
    (tmp_path / "p.yaml").write_text(f"name: p\nsources: [{{file: skimage:coffee}}]\n{conditions}")
    (condition,) = make_plan(load_protocol(tmp_path / "p.yaml")).conditions
    assert condition.method.count_parameters(64, 64) == 42_504 + 9 + 5 * 64 * 64 // 2


# Where the page has a shorter word than Python.
USUAL = {"regions": "1x1", "weight": "1"}


@pytest.mark.long
def test_the_models_of_the_protocols_page(tmp_path: Path) -> None:
    (conditions,) = [block for block in blocks("docs/protocols.md", "yaml") if "vit_b_16" in block]
    (tmp_path / "p.yaml").write_text(f"name: p\nsources: [{{file: skimage:coffee}}]\n{conditions}")
    found = make_plan(load_protocol(tmp_path / "p.yaml")).conditions
    assert [list(condition.method.terms[0].layer_weights)[-1] for condition in found] == [
        "features.5.8.add",
        "encoder.layers.encoder_layer_5.add_1",
        "layer3.1.act3",
    ]


def test_the_defaults_of_the_protocols_page() -> None:
    text = (ROOT / "docs" / "protocols.md").read_text()
    for model in (Term, SynthesisSettings):
        for key, field in model.model_fields.items():
            usual = field.get_default(call_default_factory=True)
            if usual is not None:
                told = re.findall(rf"^\| `{key}` \|.*\| `?([^|`]*)`? \|$", text, flags=re.MULTILINE)
                assert told[-1] == USUAL.get(key, str(getattr(usual, "name", usual)))


def test_the_protocols_page_names_every_key() -> None:
    text = (ROOT / "docs" / "protocols.md").read_text()
    for model in (Protocol, SourceSpec, Condition, Term, SynthesisSettings):
        for key in model.model_fields:
            assert f"`{key}`" in text or f"`{key}:" in text, key


def test_the_protocols_page_names_every_member_and_its_settings() -> None:
    text = (ROOT / "docs" / "protocols.md").read_text()
    for family in FAMILIES.values():
        for name, member in family.members.items():
            for word in (name, *(key.removesuffix("_") for key in member.model_fields)):
                assert re.search(rf"[`{{ ]{word}[`:, ]", text), f"{word} of {family.singular} {name}"


USE = """
import sys
import stimgen.statistics
stimgen.statistics.__path__.append(sys.argv[1])
from stimgen.workflow.list_members import find_members
assert find_members()["statistics"]["means"] == "Compares the mean of every feature map."
from pathlib import Path
from textwrap import dedent
from stimgen.protocol.load import load_protocol
from stimgen.workflow.generate import GenerateOptions, generate_set
progress = generate_set(load_protocol(sys.argv[2]), Path(sys.argv[3]), GenerateOptions("cpu"))
assert progress.made == 2
from stimgen import StimulusSet
table = StimulusSet(sys.argv[3]).table
assert (table.loss_end < 0.01 * table.loss_start).all(), table.loss_end
assert (table.parameters == 64 * 4).all()
"""


def test_the_statistic_of_the_contributing_page(tmp_path: Path) -> None:
    (tmp_path / "members").mkdir()
    (tmp_path / "members" / "means.py").write_text(blocks("docs/contributing.md", "python")[0])
    (tmp_path / "p.yaml").write_text(
        "name: p\nsources: [{file: skimage:coffee, size: 32}]\nseeds: [1, 2]\nstatistic: means\n"
        "synthesis: {evaluations: 40}\nconditions: [{id: a, layers: [relu1_1], regions: 2x2}]\n"
    )
    arguments = [str(tmp_path / name) for name in ("members", "p.yaml", "set")]
    done = subprocess.run(
        [sys.executable, "-c", USE, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", blocks("docs/equipment.md", "yaml"))
def test_what_the_equipment_page_says_of_displays_and_triggers(block: str) -> None:
    rest = "name: x\nstimuli: {sets: [x]}\nparadigm: oddity\nschedule: constant\n"
    if "display:" not in block:
        rest += "display: {monitor: lab}\n"
    document = parse_document(rest + dedent(block), Path("equipment.yaml"))
    experiment = validate(Experiment, document.data, document)
    assert experiment.triggers or experiment.display.monitor == "lab"


PARADIGM_BLOCKS = [
    one
    for one in blocks("docs/designs.md", "yaml")
    if one.startswith("paradigm:") and "names:" not in one and "level: scaling" not in one
]


@pytest.mark.parametrize("block", PARADIGM_BLOCKS)
def test_the_paradigms_of_the_designs_page(block: str, tmp_path: Path) -> None:
    sources = tuple(f"source{i}" for i in range(1, 11))
    write_set(tmp_path / "set", Wanted(sources, ("texture", "texform"), (1,), array=False))
    schedule = "" if "schedule:" in block else "schedule: {name: constant, balance: across}\n"
    (tmp_path / "e.yaml").write_text(
        "name: e\nstimuli: {sets: [set]}\ndisplay: {resolution: [640, 480], pixels_per_degree: 30}\n"
        + schedule
        + block
    )
    loaded = load_experiment(tmp_path / "e.yaml")
    assert list_trials(loaded, Participant("01"))["trials"]


def test_the_scale_of_the_designs_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_planned_set(tmp_path / "set", "scaling_series")
    options = RunOptions("simulated", stimuli=(tmp_path / "set",))
    assert list(run_study(load_experiment("mlds_scaling"), SessionId(None, "1"), 1, options))
    capsys.readouterr()
    (code,) = [one for one in blocks("docs/designs.md", "python") if "fit_difference_scale" in one]
    exec(code, {})  # noqa: S102 - our own page
    values = re.findall(r"[0-9.]+(?=[,\]])", capsys.readouterr().out)
    assert [float(value) for value in values] == pytest.approx([0, 0.05, 0.12, 0.3, 0.6, 0.85, 1], abs=0.12)


@pytest.mark.parametrize(
    "block",
    [
        one
        for one in blocks("docs/designs.md", "yaml")
        if "timing:" in one and not one.startswith("paradigm:")
    ],
)
def test_the_times_of_the_designs_page(block: str, tmp_path: Path) -> None:
    write_set(tmp_path / "set", Wanted(conditions=("texture", "texform"), seeds=(1,)))
    (tmp_path / "e.yaml").write_text(
        "name: e\nstimuli: {sets: [set], conditions: [texture]}\n"
        "paradigm: {name: yes_no, place: {angle: 0, eccentricity: 4}}\nschedule: constant\n"
        "display: {resolution: [640, 480], pixels_per_degree: 30}\n" + block
    )
    listed = list_trials(load_experiment(tmp_path / "e.yaml"), Participant("01"))["trials"]
    assert listed


def run_block(marker: str, *changes: tuple[str, str]) -> dict[str, Any]:
    """Execute the code block of the Python page behind a marker and return what it defines."""
    page = (ROOT / "docs" / "python.md").read_text()
    code = re.findall(rf"<!-- {marker} -->\n```python\n(.*?)```", page, flags=re.DOTALL)[0]
    for old, new in changes:
        assert old in code
        code = code.replace(old, new)
    found: dict[str, Any] = {"print": lambda *_: None}
    exec(code, found)  # noqa: S102 - our own page
    return found


def test_the_call_of_the_python_page() -> None:
    found = run_block("call", ("size=64", "size=32"), ("scale3", "scale1"))
    assert found["result"].images.shape == (2, 32, 32, 3)


def test_the_loop_of_the_python_page_gives_the_bytes_of_the_protocol() -> None:
    found = run_block("loop")
    arguments = {"depth": "scale3", "regions": "2x2", "synthesis": {"evaluations": 20}}
    assert stimgen.synthesize(found["levels"], seeds=[1, 2], **arguments).files == tuple(found["files"])


def test_the_own_loop_of_the_python_page_comes_close_to_its_source() -> None:
    losses = run_block("own")["losses"]
    assert losses[-1] < 1e-3 * losses[0]


def split_tutorial() -> list[tuple[str, str]]:
    """Return each command of the experiments page that has an output beside it, with that output."""
    text = (ROOT / "docs" / "experiments.md").read_text().partition("## A model as an observer")[0]
    shown = re.findall(r"```sh\n([^`]*)```\n+```\n([^`]*)```", text)
    return [(commands.strip().splitlines()[-1], output) for commands, output in shown]


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which somebody followed the page; the set has noise for pictures."""
    folder = tmp_path_factory.mktemp("tutorial")
    write_planned_set(folder / "sets" / "quickstart", "quickstart")
    prepared = PreparedExperiment.prepare(load_experiment("quickstart"), (folder / "sets" / "quickstart",))
    for label in ("01", "02", "03", "08"):
        options = RunOptions(observer="simulated", data=folder / "rehearsal" / "quickstart")
        run_session(prepared, Participant(label), options)
    kept = DataFolder(folder / "rehearsal" / "quickstart").journal_file(Participant("08"), "quickstart")
    header = read_journal(kept).header
    kept.unlink()
    (kept.parents[1] / "csv" / f"{kept.stem}.csv").unlink()
    person = {**header.to_dict(), "observer": {"name": "psychopy", "settings": {}}}
    file = DataFolder(folder / "data" / "quickstart").journal_file(Participant("08"), "quickstart")
    Journal.create(file, person).close()
    return folder


@pytest.mark.parametrize(("command", "output"), split_tutorial(), ids=lambda text: text.split(" ")[1])
def test_the_tutorial_shows_what_is_printed(
    tutorial: Path, monkeypatch: pytest.MonkeyPatch, command: str, output: str
) -> None:
    monkeypatch.chdir(tutorial)
    arguments = command.split()[1:]
    assert command.startswith("stimgen ")
    if "simulated" in arguments:  # what the fixture did
        arguments += ["-o", f"again-{os.getpid()}"]
    done = CliRunner().invoke(app, arguments)
    text = str(done.exception) if isinstance(done.exception, StimgenError) else done.output
    printed = [re.sub(r"again-\d+", "rehearsal/quickstart", line) for line in text.splitlines()]
    for line in output.strip("\n").splitlines():
        begins = line.removesuffix("...").rstrip()
        assert any(one == line or (begins != line and one.startswith(begins)) for one in printed), printed
    assert "..." in output or len(printed) == len(output.strip("\n").splitlines())
