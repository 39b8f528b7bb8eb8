"""Export trained networks to files that run without this library."""

from .check import Check, check_exported, open_exported
from .file import FORMATS, check_packages, describe, save
from .graph import Exported, export_network

__all__ = [
    'FORMATS',
    'Check',
    'Exported',
    'check_exported',
    'check_packages',
    'describe',
    'export_network',
    'open_exported',
    'save',
]
