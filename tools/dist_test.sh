#!/usr/bin/env bash
# Test with several processes: one for each GPU, or on the CPU without any.
set -euo pipefail

if [[ $# -lt 3 ]]; then
    echo "usage: $0 CONFIG CHECKPOINT PROCESSES [options of test.py]" >&2
    echo "environment: NNODES NODE_RANK MASTER_ADDR PORT PYTHON" >&2
    exit 2
fi
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec bash "$HERE/dist_launch.sh" "$HERE/test.py" "$3" \
    "$1" "$2" --launcher pytorch "${@:4}"
