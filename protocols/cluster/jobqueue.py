"""Dask workers as jobs of SLURM, one for each GPU; `python jobqueue.py PROTOCOL FOLDER [JOBS]`.

Needs ``pip install "stimgen[dask]" dask-jobqueue``, on a file system that the computing nodes share. For PBS,
SGE or LSF take PBSCluster, SGECluster or LSFCluster in the place of SLURMCluster. Interrupted, run it again.
"""

from __future__ import annotations

import subprocess
import sys

from dask_jobqueue import SLURMCluster


def cluster() -> SLURMCluster:
    """Return a scheduler in this process, whose workers are jobs with a GPU each."""
    return SLURMCluster(
        cores=1,  # threads that take batches: one, because stimgen computes with all that its job has
        processes=1,
        job_cpu=4,
        memory="16GB",
        walltime="08:00:00",
        job_extra_directives=["--gpus-per-task=1"],
        job_script_prologue=[
            "export OMP_NUM_THREADS=4",
            # Workers compute more where they report less (docs/cluster.md).
            "export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False",
            "export DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL=1s",
        ],
        # Workers end before their time is over and are replaced; what they had in hand is begun again.
        worker_extra_args=["--lifetime", "450m", "--lifetime-stagger", "10m"],
        # A batch that has killed three workers is given up.
        scheduler_options={"dashboard_address": ":0", "allowed_failures": 2},
    )


def main() -> None:
    """Start workers, and make the set with those that have come."""
    protocol, folder, jobs = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 8
    with cluster() as workers:
        workers.adapt(minimum_jobs=1, maximum_jobs=jobs)
        command = ["stimgen", "generate", protocol, "--output", folder, "--dask", workers.scheduler_address]
        sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
