"""The model zoo: its configs, what they cost, and the tables about them."""

from .costs import Cost, measure_cost
from .entries import Entry, find_entries
from .metafiles import metafiles, out_of_date
from .pages import pages, summary
from .results import collect_runs
from .zoo import Zoo, measure_zoo, read_zoo

__all__ = [
    'Cost',
    'Entry',
    'Zoo',
    'collect_runs',
    'find_entries',
    'measure_cost',
    'measure_zoo',
    'metafiles',
    'out_of_date',
    'pages',
    'read_zoo',
    'summary',
]
