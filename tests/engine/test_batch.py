"""The published images a step, whatever launches the processes."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mlfm_mm.engine import UsageError, distributed
from mlfm_mm.engine.batch import share_batch_size
from mlfm_mm.engine.launchers import LAUNCHERS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
PUBLISHED = {
    'resnet18_in100': 128,
    'resnet50_in100': 256,
    'mobilenetv2_0.1_in100': 128,
    'efficientnet_b4_in100': 256,
    'convnext_tiny_in100': 1024,
    'resnet18_cifar10': 128,
    'resnet18_cifar100': 128,
    'resnet18_tiny100': 128,
}


def eight_processes(launcher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment of a launcher, as its last process sees it."""
    for known in LAUNCHERS.values():
        for name in known.ranks:
            monkeypatch.delenv(name, raising=False)
    ranks = LAUNCHERS[launcher].ranks
    for name, value in zip(ranks, ('7', '8', '7'), strict=True):
        monkeypatch.setenv(name, value)
    # Nobody else is there to be met.
    monkeypatch.setattr(distributed, 'get_device', lambda: 'cpu')
    monkeypatch.setattr(distributed, 'join_by_gloo', lambda launcher: None)
    monkeypatch.setattr(distributed, 'die_with_parent', lambda: None)


@pytest.mark.parametrize('launcher', ['pytorch', 'slurm', 'mpi'])
@pytest.mark.parametrize('name', PUBLISHED)
def test_published_batch(
    name: str, launcher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    eight_processes(launcher, monkeypatch)
    # Read while the environment of the launcher is there, as a tool does.
    cfg = Config.fromfile(CONFIGS / 'mlfm' / f'{name}.py')
    cfg.launcher = launcher
    distributed.adapt_launcher(cfg)
    assert cfg.train_dataloader.batch_size * 8 == PUBLISHED[name]
    # The config that the Runner writes down is not shared out once more.
    assert 'share_batch_size' not in cfg


def test_other_configs_count_by_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As everywhere in OpenMMLab, which our own recipes leave by a key."""
    eight_processes('slurm', monkeypatch)
    cfg = Config.fromfile(CONFIGS / 'mlfm' / 'resnet18_in1k.py')
    cfg.launcher = 'slurm'
    distributed.adapt_launcher(cfg)
    assert cfg.train_dataloader.batch_size == 32


def test_a_remainder_is_refused() -> None:
    loader = dict(batch_size=128)
    cfg = Config(dict(share_batch_size=True, train_dataloader=loader))
    with pytest.raises(UsageError, match='shared out equally to 3'):
        share_batch_size(cfg, 3)
    share_batch_size(cfg, 1)
    assert cfg.train_dataloader.batch_size == 128


def test_a_config_that_only_tests() -> None:
    share_batch_size(Config(dict(share_batch_size=True)), 8)


def test_no_config_asks_the_environment() -> None:
    for path in CONFIGS.rglob('*.py'):
        assert '{{$' not in path.read_text(encoding='utf-8'), path
