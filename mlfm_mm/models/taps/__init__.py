"""Which modules of a backbone carry a memory unit.

A dry run (:mod:`dry_run`, with its :mod:`recorder` and the :mod:`flow`
between the recorded calls) records what a backbone calls. From the record,
:mod:`find` takes each :mod:`tap`: those that are declared for the networks of
the paper (:mod:`declared`), or else those that a rule finds (:mod:`by_rule`),
or those that a user lists; :mod:`checks` decides which calls can be tapped at
all.
"""

from .dry_run import DryRun
from .find import capture_point, find_taps
from .table import tap_table
from .tap import Tap

__all__ = [
    'DryRun',
    'Tap',
    'capture_point',
    'find_taps',
    'tap_table',
]
