"""The yardstick: what the memory costs, measured on the spot."""

from .benchmark import Options, run_benchmark
from .files import save
from .limits import judge, parse_limits
from .report import Report, read_report
from .runner_cost import measure_runner

__all__ = [
    'Options',
    'Report',
    'judge',
    'measure_runner',
    'parse_limits',
    'read_report',
    'run_benchmark',
    'save',
]
