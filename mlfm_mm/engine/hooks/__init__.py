"""Hooks for MMEngine's Runner."""

from .channels_last import ChannelsLastHook
from .check_data import CheckDataHook
from .early_stop import ResumableEarlyStoppingHook
from .epoch_summary import EpochSummaryHook
from .exact_resume import ExactResumeHook
from .finite_guard import FiniteGuardHook, NonFiniteError
from .missed_validation import MissedValidationHook
from .preemption import PreemptionHook
from .safe_checkpoint import SafeCheckpointHook
from .stall import StallHook
from .unreadable_report import UnreadableReportHook
from .whole_weights import WholeWeightsHook

__all__ = [
    'ChannelsLastHook',
    'CheckDataHook',
    'EpochSummaryHook',
    'ExactResumeHook',
    'FiniteGuardHook',
    'MissedValidationHook',
    'NonFiniteError',
    'PreemptionHook',
    'ResumableEarlyStoppingHook',
    'SafeCheckpointHook',
    'StallHook',
    'UnreadableReportHook',
    'WholeWeightsHook',
]
