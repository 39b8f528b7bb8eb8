"""Hooks for MMEngine's Runner."""

from .epoch_summary import EpochSummaryHook
from .report import EpochReport, ReportHook

__all__ = ['EpochReport', 'EpochSummaryHook', 'ReportHook']
