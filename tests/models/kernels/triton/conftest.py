from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def no_short_products() -> Iterator[None]:
    """Single precision is single precision, on a GPU as well."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before
