"""Hooks for MMEngine's Runner."""

from .epoch_summary import EpochSummaryHook
from .safe_checkpoint import SafeCheckpointHook

__all__ = ['EpochSummaryHook', 'SafeCheckpointHook']
