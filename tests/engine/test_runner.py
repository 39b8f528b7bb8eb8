from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import MODELS, RUNNERS, DefaultScope
from mmengine.runner import Runner
from mmpretrain.models import ImageClassifier

from mlfm_mm.engine import (
    UsageError,
    amp,
    build_runner,
    prepare_testing,
    prepare_training,
    runner,
)
from mlfm_mm.engine.models import build_model
from mlfm_mm.engine.testing import run_test
from tests.engine.hooks.test_exact_resume import exact_config, last
from tests.engine.hooks.toy import add_validation, same
from tests.engine.test_run_lock import is_free
from tests.processes import run_ranks
from tests.tools.helpers import TOOLS, write_digits_config


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list:
    """What is done to a config before its runner is built."""
    steps: list = []
    for name in ('adapt_amp', 'adapt_launcher'):
        monkeypatch.setattr(runner, name, lambda cfg, n=name: steps.append(n))
    monkeypatch.setattr(
        Runner, 'from_cfg', lambda cfg: SimpleNamespace(kind='default')
    )
    return steps


def test_the_default_runner(seen: list) -> None:
    built: Any = build_runner(Config(dict(model=dict())))
    assert built.kind == 'default'
    assert seen == ['adapt_amp', 'adapt_launcher']


def test_a_runner_of_the_config(
    seen: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(Runner):
        @classmethod
        def from_cfg(cls, cfg: Config) -> Any:
            scope = DefaultScope.get_current_instance().scope_name
            return SimpleNamespace(found=(cls.__name__, scope))

    monkeypatch.setitem(RUNNERS._module_dict, 'Own', Own)
    for kind in ('Own', Own):
        cfg = Config(dict(runner_type=kind, default_scope='mmpretrain'))
        built: Any = build_runner(cfg)
        assert built.found == ('Own', 'mmpretrain')
    with pytest.raises(UsageError, match="runner_type='Other' is unknown"):
        build_runner(Config(dict(runner_type='Other', default_scope='mmseg')))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The config in the work folder of a run."""
    config = write_digits_config(tmp_path, 'mlfm')
    cfg = prepare_training(str(config), work_dir=str(tmp_path / 'run'))
    cfg.train_cfg.max_epochs = 1
    build_runner(cfg).train()
    return tmp_path / 'run' / config.name


def test_what_is_written_suits_any_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not what this machine, without a GPU, made of it.
    monkeypatch.setattr(amp, 'get_device', lambda: 'cpu')
    config, again = write_digits_config(tmp_path), tmp_path / 'again.py'
    cfg = prepare_training(
        str(config), work_dir=str(tmp_path / 'run'), amp=True
    )
    built = build_runner(cfg)
    assert cfg.optim_wrapper.type.endswith('CPUAmpOptimWrapper')
    built.cfg.dump(again)
    cfg = prepare_training(str(again), amp=True)
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
    assert cfg.optim_wrapper.loss_scale == 'dynamic'


def test_a_test_writes_its_config_beside_its_log(run: Path) -> None:
    # What compares runs takes the one in the work folder for the run's.
    before = run.read_text()
    cfg = prepare_testing(
        str(run),
        str(run.parent / 'epoch_1.pth'),
        work_dir=str(run.parent),
        tta=True,
    )
    cfg.experiment_name = run.parent.parent.name
    built = build_runner(cfg)
    run_test(built)
    assert run.read_text() == before
    written = Path(built.log_dir) / run.name
    assert 'AverageClsScoreTTA' in written.read_text()


def test_bare_weights_where_averages_are_configured(run: Path) -> None:
    # EMAHook looks into the file before MMEngine does.
    whole, bare = run.parent / 'epoch_1.pth', run.parent / 'bare.pth'
    torch.save(torch.load(whole, weights_only=False)['state_dict'], bare)
    metrics = []
    for weights in (whole, bare):
        cfg = prepare_testing(str(run), str(weights))
        cfg.setdefault('custom_hooks', []).append(dict(type='EMAHook'))
        metrics.append(run_test(build_runner(cfg, 'testing')))
    assert metrics[0] == metrics[1]


def test_a_refused_resume_writes_no_config(run: Path) -> None:
    before = run.read_text()
    cfg = prepare_training(
        str(run),
        work_dir=str(run.parent),
        resume='auto',
        cfg_options={'model.neck.update': 'concat'},
    )
    cfg.experiment_name = run.parent.parent.name
    with pytest.raises(UsageError, match='the weights belong to'):
        build_runner(cfg).train()
    assert run.read_text() == before


def test_a_folder_has_one_run(tmp_path: Path) -> None:
    seen = []

    class Look(Hook):
        def before_run(self, runner: Runner) -> None:
            seen.append(is_free(tmp_path))

    cfg = prepare_training(
        str(write_digits_config(tmp_path)), work_dir=str(tmp_path)
    )
    cfg.train_cfg.max_epochs = 1
    built = build_runner(cfg)
    built.register_hook(Look())
    built.train()
    assert seen == [False] and is_free(tmp_path)


def test_a_schedule_longer_than_the_training(tmp_path: Path) -> None:
    late = dict(type='CosineAnnealingLR', begin=1, convert_to_iter_based=True)
    cfg = prepare_training(
        str(write_digits_config(tmp_path)),
        work_dir=str(tmp_path / 'run'),
        cfg_options={'param_scheduler': [late], 'train_cfg.max_epochs': 1},
    )
    with pytest.raises(UsageError, match='training has 5 iterations'):
        build_runner(cfg).train()


def test_fewer_images_than_a_batch(tmp_path: Path) -> None:
    # The schedule, which counts steps, would fail before any hook sees them.
    options = {
        'train_dataloader.batch_size': 64,
        'train_dataloader.drop_last': True,
    }
    cfg = prepare_training(
        str(write_digits_config(tmp_path)),
        work_dir=str(tmp_path / 'run'),
        cfg_options=options,
    )
    with pytest.raises(UsageError, match='40 training images make no batch'):
        build_runner(cfg).train()


@pytest.mark.parametrize('kind', ['Runner', 'FlexibleRunner'])
def test_a_host_that_replaces_the_memory(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mmpose does, where a head has settings of its older form."""

    class OtherNeck(ImageClassifier):
        def __init__(self, neck: dict, **settings: Any) -> None:
            other = dict(neck, type='mmpretrain.GlobalAveragePooling')
            super().__init__(neck=other, **settings)

    monkeypatch.setitem(MODELS._module_dict, 'OtherNeck', OtherNeck)
    config = str(write_digits_config(tmp_path, 'mlfm'))
    cfg = prepare_training(config, work_dir=str(tmp_path / 'run'))
    cfg.update(runner_type=kind, env_cfg=dict())
    cfg.model.update(type='OtherNeck')
    with pytest.raises(UsageError, match='of OtherNeck should be MLFMNeck'):
        build_runner(cfg, 'replacing').train()
    assert not [*(tmp_path / 'run').glob('*.pth')]
    with pytest.raises(UsageError, match='of OtherNeck should be MLFMNeck'):
        build_model(cfg)


@pytest.mark.parametrize('kind', ['Runner', 'FlexibleRunner'])
def test_what_is_loaded(kind: str, tmp_path: Path) -> None:
    """FlexibleRunner would load before its hooks have begun."""

    def trained(cfg: Config, epochs: int, resume: bool = False) -> Runner:
        cfg.update(runner_type=kind, resume=resume, env_cfg=dict())
        cfg.train_cfg.max_epochs = epochs
        built = build_runner(cfg, 'loading')
        built.train()
        return built

    def config(name: str) -> Config:
        cfg = exact_config(tmp_path / name)
        add_validation(cfg)
        cfg.custom_hooks.append(dict(type='EMAHook'))
        return cfg

    whole, parts, new = map(config, ('whole', 'parts', 'new'))
    trained(whole, 3)
    trained(parts, 1)
    (tmp_path / 'parts' / 'last_checkpoint').write_text('lost.pth')
    trained(parts, 3, resume=True)
    assert same(last(whole), last(parts))
    weights = str(tmp_path / 'whole' / 'epoch_3.pth')
    new.default_hooks.checkpoint.start_from = weights
    new.optim_wrapper.optimizer.lr = 0
    new.param_scheduler = None
    trained(new, 1, resume=True)
    assert torch.equal(last(new)['head.bias'], last(whole)['head.bias'])


@pytest.mark.skipif(
    not torch.distributed.is_gloo_available(), reason='needs gloo'
)
def test_averages_by_the_flexible_runner(tmp_path: Path) -> None:
    """Its strategy would save the names of the wrapper, which hooks miss."""
    config = write_digits_config(tmp_path)
    with open(config, 'a') as file:
        file.write(
            "runner_type = 'FlexibleRunner'\n"
            "custom_hooks = [dict(type='EMAHook', momentum=0.1)]\n"
        )
    for epochs in (1, 2):
        ranks = run_ranks(
            *(2, TOOLS / 'train.py', config, '--launcher', 'pytorch'),
            *('--work-dir', 'run', '--resume'),
            *('--cfg-options', f'train_cfg.max_epochs={epochs}'),
            cwd=tmp_path,
            CUDA_VISIBLE_DEVICES='-1',
        )
        assert [rank.returncode for rank in ranks] == [0, 0]
    saved = torch.load(tmp_path / 'run' / 'epoch_2.pth', weights_only=False)
    assert 'backbone.conv1.weight' in saved['state_dict']
    # Written again after the validation, for the best score.
    assert saved['meta']['epoch'] == 2
    assert saved['ema_state_dict']['steps'] == saved['meta']['iter'] == 4
