"""Start the processes of one machine by torchrun, and say how they ended.

``dist_launch.sh`` calls it with torchrun's own options. The processes report
their errors themselves; torchrun would add its own traceback to each.
"""

import argparse
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import parse_args, run

# Where Linux lists the processes that this one has started.
CHILDREN = Path(f'/proc/self/task/{os.getpid()}/children')
# Signals at which processes may save and exit (--signal of train.py).
PASSED_ON = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


def read_options(words: Sequence[str]) -> argparse.Namespace:
    """Read torchrun's options, which are one word each.

    Args:
        words (Sequence[str]): The options, the script, and its arguments,
            which torchrun would take for abbreviations of its own.

    Returns:
        Namespace: What torchrun makes of them.
    """
    options = [word.startswith('-') for word in words]
    if all(options):
        sys.exit(
            'usage: dist_launch.py [options of torchrun] SCRIPT [arguments]'
        )
    script = options.index(False)
    args = parse_args(words[: script + 1])
    args.training_script_args = [*words[script + 1 :]]
    return args


def pass_on_signals(args: argparse.Namespace) -> None:
    """Let the processes save and exit by themselves, with their own code.

    torchrun would exit at some signals and kill its processes at others.

    Args:
        args (Namespace): torchrun's options, changed in place. Older versions
            handle SIGTERM all the same.
    """
    if not CHILDREN.exists():
        return
    args.signals_to_handle = 'SIGINT,SIGHUP,SIGQUIT'
    for number in PASSED_ON:
        signal.signal(number, pass_on)


def pass_on(number: int, frame: FrameType | None) -> None:
    """Send a signal to the processes."""
    children = CHILDREN.read_text().split()
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(int(child), number)
    if not children:
        sys.exit(128 + number)


def check_port(args: argparse.Namespace) -> None:
    """Refuse a port that another program listens on.

    Args:
        args (Namespace): torchrun's options.
    """
    if int(args.node_rank) > 0:
        return
    with socket.socket() as probe:
        # As torchrun's server does: it need not wait for closed connections.
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
    """Print what ended the first process, if it was a signal.

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
    # Silence torchrun's reports: the processes write better ones.
    logging.disable(logging.ERROR)
    args = read_options(sys.argv[1:])
    check_port(args)
    pass_on_signals(args)
    # The processes end when this one dies: see die_with_parent.
    os.environ['MLFM_LAUNCHER'] = str(os.getpid())
    try:
        run(args)
    except ChildFailedError as failure:
        sys.exit(how_it_ended(failure))
    except SignalException as stopped:
        sys.exit(128 + stopped.sigval)


if __name__ == '__main__':
    main()
