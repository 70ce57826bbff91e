"""Sessions that are killed lose nothing that was acknowledged, and go on as if nothing had happened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_eight_kills() -> None:
    """In a process of its own: it forks. `kill_sessions.py 200` is the long version."""
    script = Path(__file__).with_name("kill_sessions.py")
    # A kill is the same whatever the disk, and waiting for one would be most of the time.
    memory = {"TMPDIR": "/dev/shm"} if Path("/dev/shm").is_dir() else {}
    command = [sys.executable, str(script), "8"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **memory})
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("8 kills in ")
    assert "no acknowledged trial is missing" in done.stdout
