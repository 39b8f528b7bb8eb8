"""Hooks for MMEngine's Runner."""

from .channels_last import ChannelsLastHook
from .epoch_summary import EpochSummaryHook
from .exact_resume import ExactResumeHook
from .safe_checkpoint import SafeCheckpointHook

__all__ = [
    'ChannelsLastHook',
    'EpochSummaryHook',
    'ExactResumeHook',
    'SafeCheckpointHook',
]
