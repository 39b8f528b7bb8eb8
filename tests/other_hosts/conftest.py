"""Hosts that the usual environment lacks: run by ``make test-hosts``."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from mlfm_mm.engine import HOSTS
from mlfm_mm.engine.weights import weights_only
from tests.other_hosts.trial import write_pictures

THERE = [host for host in HOSTS if find_spec(host)]
collect_ignore = [f'test_{h}.py' for h in HOSTS if h not in THERE]


@pytest.fixture(scope='session')
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images with boxes and keypoints, as COCO has them."""
    return write_pictures(tmp_path_factory.mktemp('pictures'))


@pytest.fixture(autouse=True)
def old_mmengine_reads_its_checkpoints() -> Iterator[None]:
    """MMEngine 0.10.7 cannot from PyTorch 2.6 on."""
    with weights_only():
        yield
