#!/usr/bin/env bash
# Run a Python script as a Slurm job:
#     slurm_launch.sh PARTITION JOB_NAME SCRIPT [arguments of the script]
# slurm_train.sh and slurm_test.sh call it. Environment: GPUS (processes in
# all), GPUS_PER_NODE (0: no GPUs), TASKS_PER_NODE, CPUS_PER_TASK, SRUN_ARGS,
# PORT, PYTHON.
set -euo pipefail

if [[ $# -lt 3 ]]; then
    echo "usage: $(basename "$0") PARTITION JOB_NAME SCRIPT [arguments]" >&2
    exit 2
fi
PARTITION=$1
JOB_NAME=$2
shift 2

GPUS=${GPUS:-8}
GPUS_PER_NODE=${GPUS_PER_NODE:-8}
if [[ "$GPUS_PER_NODE" == 0 ]]; then
    TASKS_PER_NODE=${TASKS_PER_NODE:-$GPUS}
    GRES=()
else
    TASKS_PER_NODE=${TASKS_PER_NODE:-$GPUS_PER_NODE}
    GRES=(--gres="gpu:$GPUS_PER_NODE")
fi
# Jobs that share a machine must not share a port; all tasks inherit this.
export MASTER_PORT=${PORT:-${MASTER_PORT:-$((20000 + RANDOM % 20000))}}
# SRUN_ARGS holds several words, perhaps on several lines, without quotes.
read -r -d '' -a EXTRA <<<"${SRUN_ARGS:-}" || true

exec srun -p "$PARTITION" \
    --job-name="$JOB_NAME" \
    ${GRES[@]+"${GRES[@]}"} \
    --ntasks="$GPUS" \
    --ntasks-per-node="$TASKS_PER_NODE" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" \
    --kill-on-bad-exit=1 \
    ${EXTRA[@]+"${EXTRA[@]}"} \
    "${PYTHON:-python}" -u "$@" --launcher slurm
