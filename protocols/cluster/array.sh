#!/bin/bash
# A SLURM array: each task makes one shard of a stimulus set, all in one folder of a shared file system.
#
#   sbatch --array=1-32 array.sh PROTOCOL FOLDER
#
# As many shards as tasks; any of them may fail and be sent again. When all have ended:
#
#   stimgen merge FOLDER
#
# or, to have that done by the cluster as well, with the number that sbatch printed:
#
#   sbatch --dependency=afterany:NUMBER --wrap "stimgen merge FOLDER"
#
#SBATCH --job-name=stimgen
#SBATCH --cpus-per-task=4
#SBATCH --mem=16G
#SBATCH --gpus-per-task=1
#SBATCH --ntasks=1
#SBATCH --time=08:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --output=stimgen-%A_%a.log
set -euo pipefail

protocol=${1:?"usage: sbatch --array=1-N array.sh PROTOCOL FOLDER"}
folder=${2:?"usage: sbatch --array=1-N array.sh PROTOCOL FOLDER"}

# Tasks may be numbered from any number on; shards are numbered from 1.
first=${SLURM_ARRAY_TASK_MIN:-1}
count=${SLURM_ARRAY_TASK_COUNT:?"this is for an array of jobs: sbatch --array=1-N"}
if (( ${SLURM_ARRAY_TASK_MAX:?} - first + 1 != count )); then
    # Of an array such as 3,7 that is sent again, the numbers are those of the first time: say how many there were.
    first=1
    count=${STIMGEN_SHARDS:?"some tasks of an array: say of how many, STIMGEN_SHARDS=32 sbatch --array=3,7 ..."}
elif [[ -n ${STIMGEN_SHARDS:-} ]]; then
    first=1
    count=$STIMGEN_SHARDS
fi
shard=$(( ${SLURM_ARRAY_TASK_ID:?} - first + 1 ))

export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
# `exec`, so that the signal before the time is over reaches stimgen, which keeps what is finished.
exec stimgen generate "$protocol" --output "$folder" --shard "$shard/$count" ${STIMGEN_OPTIONS:-}
