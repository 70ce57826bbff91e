"""Factors of sources: from the names of folders to tables, experiments and analyses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stimgen.execution.executor import GenerateOptions
from stimgen.experiment.design.decisions import Design, Factor, Participant
from stimgen.experiment.design.schedules.rotation import SourceRotation
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.protocol.quick import make_quick_protocol
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set import StimulusSet
from stimgen.stimulus_set.factors import join_factors
from stimgen.stimulus_set.store import MANIFEST, TABLE
from stimgen.workflow.generate import generate_set

NOISE = np.random.default_rng(3).integers(0, 256, (4, 20, 20), dtype=np.uint8)
NAMES = ("animal/a1.png", "animal/a2.png", "two words/b1.png", "two words/b2.png")
PROTOCOL = """
name: factors
preparation: {size: 16}
sources:
  - {file: "photos/{category}/{name}.PNG", licence: MIT}
conditions: [{id: noise, method: histogram_matched_noise}, {id: scrambled, method: phase_scrambled}]
"""


def write_study(folder: Path, text: str = PROTOCOL) -> Path:
    for name, levels in zip(NAMES, NOISE, strict=True):
        (folder / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(levels).save(folder / "photos" / name)
    (folder / "p.yaml").write_text(text, encoding="utf-8")
    return folder / "p.yaml"


def refusal(folder: Path, source: str) -> str:
    text = PROTOCOL.replace('{file: "photos/{category}/{name}.PNG", licence: MIT}', source)
    with pytest.raises(StimgenError) as caught:
        make_plan(load_protocol(write_study(folder, text)))
    return str(caught.value).replace(f"{folder}/", "")


def test_names_of_folders_reach_the_tables_of_a_set(tmp_path: Path) -> None:
    loaded = load_protocol(write_study(tmp_path))
    found = {source.id: dict(source.factors) for source in make_plan(loaded).sources}
    assert found == {
        **{name: {"category": "animal"} for name in ("a1", "a2")},
        **{name: {"category": "two words"} for name in ("b1", "b2")},
    }
    generate_set(loaded, tmp_path / "set", GenerateOptions("cpu"))
    table = pd.read_csv(tmp_path / "set" / TABLE)
    assert list(table.columns)[-1] == "category"
    assert dict(zip(table["source"], table["category"], strict=True)) == {
        "a1": "animal",
        "a2": "animal",
        "b1": "two words",
        "b2": "two words",
    }
    assert list(StimulusSet(tmp_path / "set").table["category"]) == list(table["category"])
    manifest = json.loads((tmp_path / "set" / MANIFEST).read_text())
    assert manifest["stimuli"][0]["content"]["source"]["factors"] == {"category": "animal"}


def test_ids_of_stimuli_do_not_depend_on_factors(tmp_path: Path) -> None:
    ids = [stimulus.id for stimulus in make_plan(load_protocol(write_study(tmp_path))).stimuli]
    plain = PROTOCOL.replace("{category}/{name}.PNG", "**/*.png")
    plain = plain.replace("MIT", "MIT, factors: {origin: lab}")
    other = make_plan(load_protocol(write_study(tmp_path, plain)))
    assert [stimulus.id for stimulus in other.stimuli] == ids
    assert [dict(source.factors) for source in other.sources] == [{"origin": "lab"}] * 4


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ('{file: "photos/{condition}/*.png"}', "p.yaml:5: the pattern 'photos/{condition}/*.png': condition"),
        ('{file: "photos/{seed}/*.png"}', "'seed' cannot be a factor"),
        ('{file: "photos/{a}/*.png", factors: {a: x}}', "the pattern gives 'a', and so does `factors`"),
        ("{file: photos/animal/a1.png, factors: {source: x}}", "p.yaml:5: sources[0].factors.source"),
        ("{file: photos/animal/a1.png, factors: {two words: x}}", "should match pattern"),
        ("{file: photos/animal/a1.png, factors: {a: ''}}", "at least 1 character"),
        ('{file: "photos/{a}/{a}.png"}', "no image file matches 'photos/{a}/{a}.png'"),
    ],
)
def test_factors_that_cannot_be_are_refused(tmp_path: Path, source: str, told: str) -> None:
    assert told in refusal(tmp_path, source)


def test_a_mask_may_lie_in_the_folder_of_a_category(tmp_path: Path) -> None:
    file = write_study(tmp_path, PROTOCOL.replace("MIT", 'MIT, mask: "photos/{category}/*.png"'))
    for source in make_plan(load_protocol(file)).sources:
        assert source.mask is not None
        assert source.mask.file == source.file


def test_values_of_several_sources_are_joined() -> None:
    assert join_factors([{"a": "x", "b": "y"}, {"a": "z", "b": "y"}, {"a": "x"}]) == {"a": "x+z", "b": "y"}


def test_sources_of_a_kind_are_spread_over_rotated_cells() -> None:
    """Eight animals and eight tools in two cells: four of each in both, for every participant."""
    sources = tuple(f"s{i}" for i in range(16))
    kinds = {source: "animal" if i < 8 else "tool" for i, source in enumerate(sources)}
    for number in ("01", "02"):
        design = Design(
            factors=(Factor("condition", ("a", "b")),),
            sources=sources,
            balanced=(),
            participant=Participant(number),
            key=("test",),
            kinds=tuple(kinds.items()),
        )
        rotation = SourceRotation.of(design, ("condition",))
        seen = [(kinds[source], rotation.find_cell(source)["condition"]) for source in sources]
        assert {pair: seen.count(pair) for pair in set(seen)} == {
            (kind, cell): 4 for kind in ("animal", "tool") for cell in ("a", "b")
        }


def test_a_quick_protocol_takes_the_first_files_of_a_pattern(tmp_path: Path) -> None:
    text = PROTOCOL.replace("method: phase_scrambled", "method: phase_scrambled, sources: [a2]")
    quick = make_quick_protocol(load_protocol(write_study(tmp_path, text)))
    plan = make_plan(quick)
    assert quick.changes[0] == "2 of 4 files of photos/{category}/{name}.PNG"
    assert {source.id: dict(source.factors) for source in plan.sources} == {
        "a1": {"category": "animal"},
        "a2": {"category": "animal"},
    }
    assert [(s.condition.id, s.source.id) for s in plan.stimuli] == [
        ("noise", "a1"),
        ("noise", "a2"),
        ("scrambled", "a2"),
    ]
