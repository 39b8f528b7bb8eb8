from importlib.util import find_spec

from mlfm_mm import datasets
from tests.hosts import NO_MMSEG


def test_data_sets_of_the_hosts_that_are_installed() -> None:
    names = set(datasets.__all__)
    assert {'ReadableDataset', 'scan_folder'} <= names
    classifies = find_spec('mmpretrain') is not None
    assert ('ImageFolder' in names) == classifies
    assert ('CamVid' in names) == (NO_MMSEG == '')
