"""What is shipped for clusters, as far as it can be run where there is no cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_set import everything, write_protocol

from stimgen.execution.executor import GenerateOptions
from stimgen.workflow.generate import generate_set
from stimgen.workflow.merge import merge_folders

CLUSTER = Path(__file__).resolve().parents[2] / "protocols" / "cluster"
ARRAY = CLUSTER / "array.sh"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no bash on Windows")


def command(folder: Path, lines: str) -> dict[str, str]:
    """Put a command `stimgen` first on the path, and return the environment with it."""
    folder.mkdir()
    (folder / "stimgen").write_text(lines)
    (folder / "stimgen").chmod(0o755)
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("SLURM", "STIMGEN"))}
    return clean | {"PATH": f"{folder}{os.pathsep}{clean['PATH']}"}


def task(number: int, of: tuple[int, int, int]) -> dict[str, str]:
    """Return what SLURM tells a task: its number, and the least, the greatest and the count of all."""
    least, greatest, count = of
    return {
        "SLURM_ARRAY_TASK_ID": str(number),
        "SLURM_ARRAY_TASK_MIN": str(least),
        "SLURM_ARRAY_TASK_MAX": str(greatest),
        "SLURM_ARRAY_TASK_COUNT": str(count),
        "SLURM_CPUS_PER_TASK": "1",
    }


def test_the_array_script_is_sound() -> None:
    subprocess.run(["bash", "-n", str(ARRAY)], check=True)
    options = [line.split()[1] for line in ARRAY.read_text().splitlines() if line.startswith("#SBATCH")]
    assert all(option.startswith("--") for option in options)
    # Nothing but comments stands before them: SLURM reads no further than the first command.
    assert ARRAY.read_text().index("set -euo") > ARRAY.read_text().rindex("#SBATCH")


@pytest.mark.parametrize(
    ("variables", "shard"),
    [
        (task(1, (1, 32, 32)), "1/32"),
        (task(32, (1, 32, 32)), "32/32"),
        (task(0, (0, 3, 4)), "1/4"),
        (task(3, (0, 3, 4)), "4/4"),
        (task(7, (3, 7, 2)) | {"STIMGEN_SHARDS": "32"}, "7/32"),
        (task(5, (5, 5, 1)) | {"STIMGEN_SHARDS": "32"}, "5/32"),
    ],
)
def test_which_shard_a_task_makes(variables: dict[str, str], shard: str, tmp_path: Path) -> None:
    environment = command(tmp_path / "bin", '#!/bin/sh\necho "$@" "$OMP_NUM_THREADS"\n') | variables
    done = subprocess.run(
        ["bash", str(ARRAY), "p.yaml", "a set"], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"generate p.yaml --output a set --shard {shard} 1\n"


@pytest.mark.parametrize(
    ("variables", "arguments", "said"),
    [
        ({}, ["p.yaml", "set"], "sbatch --array=1-N"),
        (task(1, (1, 2, 2)), ["p.yaml"], "usage: sbatch"),
        (task(7, (3, 7, 2)), ["p.yaml", "set"], "STIMGEN_SHARDS=32"),
    ],
)
def test_what_the_array_script_refuses(
    variables: dict[str, str], arguments: list[str], said: str, tmp_path: Path
) -> None:
    environment = command(tmp_path / "bin", "#!/bin/sh\necho made\n") | variables
    done = subprocess.run(
        ["bash", str(ARRAY), *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.long
def test_an_array_makes_the_set(tmp_path: Path) -> None:
    """Two tasks at the same time, each a process of its own, in one folder."""
    protocol = write_protocol(tmp_path / "p")
    generate_set(protocol, tmp_path / "whole", GenerateOptions("cpu"))
    lines = (
        f'#!/bin/sh\nexec {sys.executable} -c "from stimgen.cli.main import main; main()" "$@" --device cpu\n'
    )
    environment = command(tmp_path / "bin", lines)
    arguments = ["bash", str(ARRAY), str(protocol.document.file), str(tmp_path / "set")]
    tasks = [
        subprocess.Popen(arguments, env=environment | task(number, (1, 2, 2)), stderr=subprocess.DEVNULL)
        for number in (1, 2)
    ]
    assert [running.wait() for running in tasks] == [0, 0]
    assert merge_folders([tmp_path / "set"])[0].complete
    assert everything(tmp_path / "set") == everything(tmp_path / "whole")


SBATCH = """\
#!/bin/sh
cp "$1" "$PLACE/script"
setsid bash "$PLACE/script" > "$PLACE/log" 2>&1 &
echo $! > "$PLACE/job"
echo "Submitted batch job $!"
"""
SCANCEL = '#!/bin/sh\nkill -- "-$1"\n'


@pytest.mark.long
def test_jobs_for_dask_make_the_set(tmp_path: Path) -> None:
    """Of SLURM there are only its two commands here: a job is a process of this computer."""
    protocol = write_protocol(tmp_path / "p")
    generate_set(protocol, tmp_path / "whole", GenerateOptions("cpu"))
    lines = (
        f'#!/bin/sh\nexec {sys.executable} -c "from stimgen.cli.main import main; main()" "$@" --device cpu\n'
    )
    environment = command(tmp_path / "bin", lines) | {"PLACE": str(tmp_path)}
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    arguments = [str(protocol.document.file), str(tmp_path / "set"), "1"]
    done = subprocess.run(
        [sys.executable, str(CLUSTER / "jobqueue.py"), *arguments],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr + (tmp_path / "log").read_text()
    script = (tmp_path / "script").read_text()
    assert "#SBATCH --gpus-per-task=1\n" in script
    assert "export OMP_NUM_THREADS=4\n" in script
    assert everything(tmp_path / "set") == everything(tmp_path / "whole")
