from collections.abc import Iterator

import pytest

from mlfm_mm.models import kernels


@pytest.fixture(autouse=True)
def kernels_for_small_maps_too() -> Iterator[None]:
    """A CPU trains by the kernels, however small the maps of a test are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, 'FEW_VALUES', 0)
        yield
