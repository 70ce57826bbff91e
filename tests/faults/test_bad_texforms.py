"""Protocols that use Portilla and Simoncelli's statistics in windows wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from stimgen import generate
from stimgen.networks import plenoptic_package
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.reading import extras
from stimgen.reading.errors import StimgenError

PROTOCOL = """\
name: p
preparation: {size: 128, channels: grey}
sources: [{file: "skimage:brick"}]
network: steerable_pyramid
statistic: portilla_simoncelli
synthesis: {scales: 1, evaluations: 3}
conditions:
  - {id: a, depth: residual, regions: 2x2}
"""


def write(tmp_path: Path, old: str, new: str) -> Path:
    assert PROTOCOL.count(old) == 1
    file = tmp_path / "p.yaml"
    file.write_text(PROTOCOL.replace(old, new))
    return file


@pytest.mark.parametrize(
    ("old", "new", "line", "parts"),
    [
        ("depth: residual", "network: embedded, depth: scale2", 8, ("steerable_pyramid, not of embedded",)),
        ("network: steerable_pyramid\n", "", 7, ("residual", "network: steerable_pyramid")),
        ("depth: residual", "depth: scale2", 8, ("parents2", "depth: residual")),
        ("depth: residual", "layers: [pixels]", 8, ("highpass", "depth: residual")),
        ("size: 128", "size: 120", 8, ("120 x 120", "multiples of 16")),
        ("size: 128, channels: grey}\n", "size: 160, channels: grey}\n", 8, ("40 x 40", "multiples of 64")),
        ("size: 128", "size: 48", 8, ("48 pixels", "64 pixels")),
        ("2x2", "16x16", 8, ("16 pooling regions", "256 pixels")),
        ("portilla_simoncelli", "{name: portilla_simoncelli, neighbourhood: 6}", 5, ("6", "write 7")),
        ("scales: 1", "scales: 1, unmatched: sorce", 6, ("unmatched", "'sorce'", "source")),
    ],
)
def test_a_mistake(tmp_path: Path, old: str, new: str, line: int, parts: tuple[str, ...]) -> None:
    file = write(tmp_path, old, new)
    if "160" in new:
        file.write_text(file.read_text().replace("scales: 1", "scales: 3"))
    with pytest.raises(StimgenError) as caught:
        make_plan(load_protocol(file))
    text = str(caught.value)
    assert f"p.yaml:{line}: " in text
    assert all(part in text for part in parts), text


def test_without_plenoptic_the_extra_is_named_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(module: str) -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr(extras, "import_module", missing)
    with pytest.raises(StimgenError) as caught:
        generate(write(tmp_path, "name: p\n", "name: q\n"), tmp_path / "set")
    assert f"`network: steerable_pyramid` needs {plenoptic_package.PACKAGE}" in str(caught.value)
    assert 'pip install "stimgen[plenoptic]"' in str(caught.value)
    assert not (tmp_path / "set").exists()
