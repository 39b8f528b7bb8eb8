"""Experiments over arms and seeds: plans, records, statistics."""

from .plan import Arm, Plan, Run, fingerprint, make_config, read_plan
from .records import make_record, pending_runs, read_records, write_record

__all__ = [
    'Arm',
    'Plan',
    'Run',
    'fingerprint',
    'make_config',
    'make_record',
    'pending_runs',
    'read_plan',
    'read_records',
    'write_record',
]
