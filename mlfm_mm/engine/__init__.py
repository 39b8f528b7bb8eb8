"""Hooks, and what the tools share to train and test with either host."""

from .amp import CPUAmpOptimWrapper
from .distributed import leave_together
from .errors import UsageError, one_sentence
from .hooks import ChannelsLastHook, EpochSummaryHook, WholeWeightsHook
from .hosts import HOSTS, Host, find_host
from .runner import build_runner
from .testing import prepare_testing
from .training import prepare_training

__all__ = [
    'HOSTS',
    'CPUAmpOptimWrapper',
    'ChannelsLastHook',
    'EpochSummaryHook',
    'Host',
    'UsageError',
    'WholeWeightsHook',
    'build_runner',
    'find_host',
    'leave_together',
    'one_sentence',
    'prepare_testing',
    'prepare_training',
]
