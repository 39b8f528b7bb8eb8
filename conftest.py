"""What tests and doctests alike rely on."""

import os
from collections.abc import Iterator

import pytest
import torch

if not torch.cuda.device_count():
    # Triton plays a GPU then. It looks at this once, when it is imported,
    # which PyTorch has not done yet.
    os.environ.setdefault('TRITON_INTERPRET', '1')

from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

# Imported before pytest collects a module of it, which would otherwise be
# executed twice and register its classes twice.
import mlfm_mm  # noqa: F401
from mlfm_mm.engine.draws import seed_all
from mlfm_mm.models.kernels import check_triton

# A script that reads its arguments as it is imported.
collect_ignore = ['.dev_scripts/bootstrap.py']
try:
    check_triton()
except ImportError:
    collect_ignore_glob = ['*/models/kernels/triton/*.py']

# A logger writes where stdout was when it was made: within a doctest, that
# would be what the doctest compares.
MMLogger.get_instance('mmengine', logger_name='mmengine')


@pytest.fixture(autouse=True)
def same_draws() -> None:
    """Let a test draw the same numbers whatever ran before it."""
    seed_all(0)


@pytest.fixture(autouse=True)
def no_scope() -> Iterator[None]:
    """Forget the scope of a Runner, which it leaves behind for good.

    Before a test, too: a Runner of a fixture that several tests share, as of
    a module, would otherwise leave its scope to all tests after it.
    """
    DefaultScope._instance_dict.clear()
    yield
    DefaultScope._instance_dict.clear()
