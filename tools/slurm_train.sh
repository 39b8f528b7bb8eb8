#!/usr/bin/env bash
# Train as a Slurm job, one process for each GPU.
set -euo pipefail

if [[ $# -lt 4 ]]; then
    echo "usage: $0 PARTITION JOB_NAME CONFIG WORK_DIR" \
        "[options of train.py]" >&2
    echo "environment: GPUS GPUS_PER_NODE CPUS_PER_TASK SRUN_ARGS PORT" \
        "PYTHON" >&2
    exit 2
fi
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec bash "$HERE/slurm_launch.sh" "$1" "$2" "$HERE/train.py" \
    "$3" --work-dir "$4" "${@:5}"
