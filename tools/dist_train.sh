#!/usr/bin/env bash
# Train with several processes: one for each GPU, or on the CPU without any.
set -euo pipefail

if [[ $# -lt 2 ]]; then
    echo "usage: $0 CONFIG PROCESSES [options of train.py]" >&2
    echo "environment: NNODES NODE_RANK MASTER_ADDR PORT PYTHON" >&2
    exit 2
fi
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec bash "$HERE/dist_launch.sh" "$HERE/train.py" "$2" \
    "$1" --launcher pytorch "${@:3}"
