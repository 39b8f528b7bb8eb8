"""The model zoo: one record for each config, and the pages about them."""

from .records import Record, find_configs, read_records

__all__ = ['Record', 'find_configs', 'read_records']
