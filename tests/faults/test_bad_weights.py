"""Weights that cannot be used are found before anything is written, with the protocol's line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from stimgen.protocol.load import load_protocol
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_file
from stimgen.workflow.generate import GenerateOptions, generate_set

HEAD = "name: p\nsources: [{file: skimage:coffee, size: 16}]\nsynthesis: {evaluations: 3}\n"
INHERITED = HEAD + "network: {weights: WEIGHTS}\nconditions:\n  - {id: a, layers: [relu1_1]}\n"
OWN = HEAD + "conditions:\n  - id: a\n    layers: [relu1_1]\n    network: {weights: WEIGHTS}\n"


def refusal(tmp_path: Path, text: str, weights: str) -> str:
    (tmp_path / "p.yaml").write_text(text.replace("WEIGHTS", weights))
    with pytest.raises(StimgenError) as caught:
        generate_set(load_protocol(tmp_path / "p.yaml"), tmp_path / "set", GenerateOptions("cpu"))
    assert not (tmp_path / "set").exists()
    return str(caught.value)


def write_weights(tmp_path: Path, shape: tuple[int, ...]) -> str:
    file = tmp_path / "w.safetensors"
    save_file({"features.0.weight": torch.zeros(shape), "features.0.bias": torch.zeros(64)}, file)
    return f"{{file: w.safetensors, sha256: {sha256_file(file)}}}"


@pytest.mark.parametrize(("text", "line"), [(INHERITED, 4), (OWN, 7)])
class TestRefusals:
    def test_missing(self, tmp_path: Path, text: str, line: int) -> None:
        message = refusal(tmp_path, text, f"{{file: w.pth, sha256: {'ab' * 32}}}")
        assert message.startswith(f"{tmp_path / 'p.yaml'}:{line}: ")
        assert "w.pth" in message

    def test_wrong_hash(self, tmp_path: Path, text: str, line: int) -> None:
        write_weights(tmp_path, (64, 3, 3, 3))
        message = refusal(tmp_path, text, f"{{file: w.safetensors, sha256: {'ab' * 32}}}")
        assert message.startswith(f"{tmp_path / 'p.yaml'}:{line}: ")
        assert "SHA-256" in message

    def test_wrong_shape(self, tmp_path: Path, text: str, line: int) -> None:
        message = refusal(tmp_path, text, write_weights(tmp_path, (64, 3, 5, 5)))
        assert message.startswith(f"{tmp_path / 'p.yaml'}:{line}: ")
        assert "features.0.weight" in message


def test_good_weights_are_used_and_recorded(tmp_path: Path) -> None:
    weights = write_weights(tmp_path, (64, 3, 3, 3))
    (tmp_path / "p.yaml").write_text(OWN.replace("WEIGHTS", weights))
    assert (
        generate_set(load_protocol(tmp_path / "p.yaml"), tmp_path / "set", GenerateOptions("cpu")).made == 1
    )
    (record,) = (tmp_path / "set" / "records").glob("*/*.json")
    assert f'"weights_sha256": "{sha256_file(tmp_path / "w.safetensors")}"' in record.read_text()


def test_a_finished_set_needs_no_weights(tmp_path: Path) -> None:
    weights = write_weights(tmp_path, (64, 3, 3, 3))
    (tmp_path / "p.yaml").write_text(OWN.replace("WEIGHTS", weights))
    generate_set(load_protocol(tmp_path / "p.yaml"), tmp_path / "set", GenerateOptions("cpu"))
    (tmp_path / "w.safetensors").unlink()
    progress = generate_set(load_protocol(tmp_path / "p.yaml"), tmp_path / "set", GenerateOptions("cpu"))
    assert (progress.there, progress.made) == (1, 0)
