#!/usr/bin/env bash
# Start N processes of a Python script on this machine, by torchrun:
#     dist_launch.sh SCRIPT N [arguments of the script]
# dist_train.sh and dist_test.sh call it. Environment, for several machines:
#     NNODES, NODE_RANK, MASTER_ADDR, PORT; and PYTHON, the interpreter.
set -euo pipefail

if [[ $# -lt 2 ]]; then
    echo "usage: $(basename "$0") SCRIPT PROCESSES [arguments]" >&2
    exit 2
fi
SCRIPT=$1
PROCESSES=$2
shift 2

if [[ ! "$PROCESSES" =~ ^[1-9][0-9]*$ ]]; then
    echo "$(basename "$0"): the number of processes must be a positive" \
        "integer, not '$PROCESSES'" >&2
    exit 2
fi

PYTHON=${PYTHON:-python}
NNODES=${NNODES:-1}
NODE_RANK=${NODE_RANK:-0}
MASTER_ADDR=${MASTER_ADDR:-127.0.0.1}
if [[ -z "${PORT:-}" && "$NNODES" == 1 ]]; then
    # A fixed port would let only one job run on a machine.
    PORT=$("$PYTHON" -c 'import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])')
fi

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$PYTHON" "$HERE/dist_launch.py" \
    --nnodes="$NNODES" \
    --node_rank="$NODE_RANK" \
    --master_addr="$MASTER_ADDR" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$SCRIPT" "$@"
