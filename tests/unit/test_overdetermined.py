"""Conditions with more parameters than pixel values are named before they are made."""

from __future__ import annotations

import re
from pathlib import Path

from stimgen.cli.plan_text import format_plan
from stimgen.protocol.load import LoadedProtocol, load_protocol
from stimgen.protocol.overdetermined import describe_excess_parameters
from stimgen.protocol.plan import make_plan
from stimgen.workflow.generate import generate_set
from stimgen.workflow.plan import describe_plan

PROTOCOL = """\
name: p
preparation: {size: 32}
sources: [{file: "skimage:coffee"}]
network: {name: vgg19, weights: random}
synthesis: {scales: 1, evaluations: 1}
conditions:
  - {id: texture, layers: [relu1_1]}
  - {id: texform, layers: [relu1_1], regions: 2x2}
  - {id: again, layers: [relu1_1], statistic: content}
  - {id: noise, method: phase_scrambled}
"""


def load(folder: Path) -> LoadedProtocol:
    (folder / "p.yaml").write_text(PROTOCOL)
    return load_protocol(folder / "p.yaml")


def test_only_texforms_with_more_parameters_than_values_are_named(tmp_path: Path) -> None:
    # 64 maps: 2,080 parameters a region; 32 x 32 pixels of three colours: 3,072 values.
    (found,) = describe_excess_parameters(make_plan(load(tmp_path)))
    assert found.startswith("condition texform: 8,320 parameters describe 3,072 pixel values")


def test_plan_warns(tmp_path: Path) -> None:
    plan = describe_plan(load(tmp_path))
    assert [one["excess_parameters"] for one in plan["conditions"]] == [None, [8320, 3072], None, None]
    text = format_plan(plan)
    assert text.count("8,320 parameters for 3,072 pixel values") == 1
    # The range of a control is a word, and that of an objective a member of a family.
    assert re.search(r"range +fit\n", text)


def test_generate_warns(tmp_path: Path) -> None:
    progress = generate_set(load(tmp_path), tmp_path / "set")
    assert [notice.split(":")[0] for notice in progress.notices] == ["condition texform"]
