"""Generation killed at random moments finishes as the undisturbed; in a long run, by hand, 300 times."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="no fork on Windows")
def test_some_sigkills() -> None:
    script = Path(__file__).with_name("kill_generation.py")
    command = [sys.executable, str(script), "8", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 SIGKILLs" in done.stdout
