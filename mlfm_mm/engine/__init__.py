"""What the tools do, and hooks for any Runner.

From a command to a run: :mod:`arguments` reads the command, :mod:`options`
loads and checks the config, :mod:`training` and :mod:`testing` apply what was
asked, :mod:`runner` builds the Runner, :mod:`errors` tells mistakes in one
sentence. :mod:`launchers`, :mod:`ranks`, :mod:`distributed` and :mod:`batch`
are for several processes; :mod:`survival`, :mod:`resume`, :mod:`checkpoints`,
:mod:`run_lock` and :mod:`full_disk` for runs that are killed; :mod:`hosts` and
:mod:`kinds` for what a config names; :mod:`weights` reads checkpoints, and
:mod:`hooks` are for the Runner.
"""

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
