"""A set that was made with torch is verified, and shown to a simulated observer, where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from stimgen.protocol.load import load_protocol
from stimgen.workflow.generate import GenerateOptions, generate_set

PROTOCOL = """
name: tiny
preparation: {size: 16}
sources: [{file: "skimage:brick", licence: CC0-1.0}, {file: "skimage:coffee"}]
synthesis: {scales: 1, evaluations: 3}
conditions: [{id: texture, layers: [relu1_1]}]
"""

EXPERIMENT = """
name: shown
stimuli: {sets: [set], not_converged: show}
paradigm: {name: yes_no}
schedule: {name: constant, repetitions: 2}
display: {resolution: [640, 480], pixels_per_degree: 30}
"""

COMMAND = "import sys; from stimgen.cli.main import main; sys.argv[0] = 'stimgen'; main()"


def test_what_was_made_with_torch_is_shown_without(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(PROTOCOL)
    (tmp_path / "shown.yaml").write_text(EXPERIMENT)
    generate_set(load_protocol(tmp_path / "tiny.yaml"), tmp_path / "set", GenerateOptions("cpu"))
    trap = tmp_path / "path"
    trap.mkdir()
    for name in ("torch", "torchvision", "safetensors"):
        (trap / f"{name}.py").write_text(f"raise SystemError('{name} was imported')\n")

    def run(*arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(trap)}
        command = [sys.executable, "-W", "error", "-c", COMMAND, *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert "2 of 2 stimuli checked, no problems" in run("verify", "set")
    said = run("run", "shown.yaml", "--observer", "simulated", "--participant", "01", "-o", "data")
    assert "4 trials" in said
    assert "complete" in said
