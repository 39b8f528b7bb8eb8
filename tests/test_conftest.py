"""What the tests of one file do not leave behind for those of another."""

from collections.abc import Iterator

import pytest
from mmengine.registry import DefaultScope


@pytest.fixture(scope='module')
def runner_of_a_module() -> Iterator[None]:
    """Leave a scope behind, as a Runner does, before any test's own part."""
    DefaultScope.get_instance('left_behind', scope_name='mmseg')
    yield


@pytest.mark.usefixtures('runner_of_a_module')
def test_no_scope_is_left_behind() -> None:
    assert DefaultScope.get_current_instance() is None
