"""Start the processes of one machine by torchrun, and say how they ended.

``dist_launch.sh`` calls it with torchrun's own options. The processes tell
their mistakes themselves; torchrun would add its own traceback to each.
"""

import argparse
import logging
import os
import signal
import socket
import sys

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import parse_args, run


def check_port(args: argparse.Namespace) -> None:
    """Refuse a port that another program listens on.

    Args:
        args (Namespace): torchrun's options.
    """
    if int(args.node_rank) > 0:
        return
    with socket.socket() as probe:
        # As torchrun's own server, which need not wait for old connections.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('', args.master_port))
        except OSError as error:
            sys.exit(
                f'port {args.master_port} of this machine cannot be used '
                f'({error.strerror}): choose another by PORT=..., the same '
                'on all machines'
            )


def how_it_ended(failure: ChildFailedError) -> int:
    """Say what ended the first process, if it could not say so itself.

    Args:
        failure (ChildFailedError): What torchrun raises.

    Returns:
        int: The exit code.
    """
    rank, process = failure.get_first_failure()
    code = process.exitcode
    if code < 0:
        name = signal.Signals(-code).name
        hint = ' (out of memory?)' if name == 'SIGKILL' else ''
        print(
            f'process {rank} (pid {process.pid}) was ended by {name}{hint}; '
            'the others have been stopped',
            file=sys.stderr,
        )
        return 128 - code
    return code


def main() -> None:
    """Start and wait."""
    # What torchrun tells of its processes: they do it better.
    logging.disable(logging.ERROR)
    args = parse_args(sys.argv[1:])
    check_port(args)
    # Whose death a process must not outlive: see die_with_parent.
    os.environ['MLFM_LAUNCHER'] = str(os.getpid())
    try:
        run(args)
    except ChildFailedError as failure:
        sys.exit(how_it_ended(failure))
    except SignalException as stopped:
        sys.exit(128 + stopped.sigval)


if __name__ == '__main__':
    main()
