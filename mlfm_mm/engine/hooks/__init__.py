"""Hooks for MMEngine's Runner."""

from .epoch_summary import EpochSummaryHook

__all__ = ['EpochSummaryHook']
