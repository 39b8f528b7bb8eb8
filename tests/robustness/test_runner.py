"""A run that stops and resumes is the run that did not stop."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.fileio import load
from mmengine.optim import build_optim_wrapper
from torch import nn

from tests.hosts import needs_resume
from tests.models.builders import classifier
from tests.processes import run_python, run_ranks
from tests.robustness.models import DEEP, narrow

REPO = Path(__file__).resolve().parents[2]

# The shipped digits, fewer and without random crops, whose random numbers a
# resumed run cannot repeat; all default hooks, and EMA.
CONFIG = """
_base_ = {base!r}
train_dataloader = dict(
    batch_size=32,
    dataset=dict(indices=128, pipeline={{{{_base_.test_pipeline}}}}),
)
val_dataloader = dict(dataset=dict(indices=128))
test_dataloader = val_dataloader
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=-1))
custom_hooks = [dict(type='EMAHook', momentum=0.1)]
train_cfg = dict(max_epochs={epochs})
param_scheduler = None
randomness = dict(seed=7)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(neck=dict(
    lr_mult=0.1))))
"""


def write(folder: Path, epochs: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    base = str(REPO / 'configs/mlfm/resnet18_w16_digits.py')
    file = folder / f'run{epochs}.py'
    file.write_text(CONFIG.format(base=base, epochs=epochs))
    return file


def call(*command: object, processes: int = 1) -> None:
    if processes == 1:
        ranks = [run_python(*command, cwd=REPO)]
    else:
        ranks = run_ranks(processes, *command, cwd=REPO)
    for rank in ranks:
        assert rank.returncode == 0, rank.stdout + rank.stderr


def train(config: Path, work: Path, processes: int, *options: str) -> dict:
    launcher = 'none' if processes == 1 else 'pytorch'
    call(
        *('tools/train.py', config, '--work-dir', work),
        *('--launcher', launcher, *options),
        processes=processes,
    )
    last = (work / 'last_checkpoint').read_text()
    return torch.load(work / last, weights_only=False)


def check_same(a: dict, b: dict) -> None:
    # The weights, their moving average and the optimizer's momenta.
    for part in ('state_dict', 'ema_state_dict'):
        assert a[part].keys() == b[part].keys()
        assert any('neck.units' in name for name in a[part])
        for name, value in a[part].items():
            torch.testing.assert_close(value, b[part][name], msg=name)
    momenta = (c['optimizer']['state'] for c in (a, b))
    torch.testing.assert_close(*momenta)
    assert a['meta']['iter'] == b['meta']['iter']


@needs_resume
@pytest.mark.parametrize(
    'processes', [1, pytest.param(2, marks=pytest.mark.slow)]
)
def test_stop_resume_and_test(processes: int, tmp_path: Path) -> None:
    whole = train(write(tmp_path, 2), tmp_path / 'whole', processes)
    halves = tmp_path / 'halves'
    train(write(tmp_path, 1), halves, processes)
    resumed = train(write(tmp_path, 2), halves, processes, '--resume')
    check_same(whole, resumed)
    if processes == 1:
        config, last = write(tmp_path, 2), halves / 'epoch_2.pth'
        result = tmp_path / 'metrics.json'
        out = ('--out', result, '--out-item', 'metrics')
        work = ('--work-dir', tmp_path / 'test')
        call('tools/test.py', config, last, *work, *out)
        assert 0 < load(result)['accuracy/top1'] <= 100


def test_synchronized_norms_in_two_processes(tmp_path: Path) -> None:
    # Without a GPU they are plain ones, in the trunk and in the units.
    few = ('--cfg-options', 'train_dataloader.dataset.indices=64')
    norm = 'model.backbone.norm_cfg.type=SyncBN'
    synced, plain = (
        train(write(tmp_path, 1), tmp_path / name, 2, *few, *options)
        for name, options in (('sync', [norm]), ('plain', []))
    )
    check_same(synced, plain)


# compile=True is inductor, which takes its minutes.
@pytest.mark.parametrize(
    'option',
    [
        'compile.backend=aot_eager',
        pytest.param('compile=True', marks=pytest.mark.slow),
    ],
)
def test_a_compiled_run_learns_the_same(option: str, tmp_path: Path) -> None:
    config = write(tmp_path, 1)
    few = (
        '--cfg-options',
        'train_dataloader.dataset.indices=64',
        # With groups of parameters MMEngine hands the optimizer a kind of
        # dict that PyTorch's compiler does not follow, whatever the model.
        'optim_wrapper.paramwise_cfg=None',
    )
    # Compiled units run by the plain formulas. In two steps the rounding of
    # others grows: at a flat background one bit opens a ReLU for all of it.
    plain = (*few, 'model.neck.kernels=False')
    eager = train(config, tmp_path / 'eager', 1, *plain)
    compiled = train(config, tmp_path / 'compiled', 1, *few, option)
    log = next((tmp_path / 'compiled').rglob('*.log')).read_text()
    assert 'Model has been "compiled"' in log
    assert eager['meta']['iter'] == compiled['meta']['iter'] == 2
    names = list(eager['state_dict'])
    assert list(compiled['state_dict']) == names
    assert any('neck.units' in name for name in names)
    for name in names:
        torch.testing.assert_close(
            compiled['state_dict'][name],
            eager['state_dict'][name],
            rtol=1e-3,
            atol=1e-4,
            msg=name,
        )


def test_paramwise_options_reach_the_neck() -> None:
    model = narrow()
    wrapper = build_optim_wrapper(
        model,
        dict(
            optimizer=dict(type='SGD', lr=1.0, weight_decay=0.1),
            paramwise_cfg=dict(
                norm_decay_mult=0.0,
                custom_keys={'neck.units': dict(lr_mult=0.1)},
            ),
        ),
    )
    rates = {
        id(group['params'][0]): group['lr'] for group in wrapper.param_groups
    }
    for name, parameter in model.named_parameters():
        expected = 0.1 if name.startswith('neck.units') else 1.0
        assert rates[id(parameter)] == pytest.approx(expected), name


# ---- init_cfg -------------------------------------------------------------


def test_units_are_initialized_as_convolutions_are() -> None:
    model = classifier()
    model.init_weights()
    for unit in model.neck.units:
        for gate in (unit.input_gate, unit.supplement_gate):
            fan_out = gate.conv.weight[0, 0].numel() * gate.conv.out_channels
            expected = (2 / fan_out) ** 0.5
            spread = gate.conv.weight.std().item()
            assert spread == pytest.approx(expected, rel=0.2)
            assert torch.equal(gate.bn.weight, torch.ones_like(gate.bn.weight))


@pytest.mark.parametrize('owner', ['neck', 'classifier'])
def test_an_init_cfg_reaches_the_units(owner: str) -> None:
    constant = dict(type='Constant', layer='Conv2d', val=0.25)
    model = narrow(init_cfg=constant if owner == 'neck' else None)
    if owner == 'classifier':
        model.init_cfg = constant
    model.init_weights()
    convolutions = [
        module
        for module in model.neck.modules()
        if isinstance(module, nn.Conv2d)
    ]
    assert len(convolutions) == 12
    for convolution in convolutions:
        assert (convolution.weight == 0.25).all()


@pytest.mark.parametrize('backbone', [{}, DEEP], ids=['shallow', 'deep'])
def test_a_parents_pretrained_weights(backbone: dict, tmp_path: Path) -> None:
    trained = narrow(backbone, seed=1)
    file = str(tmp_path / 'trained.pth')
    torch.save(dict(state_dict=trained.state_dict()), file)
    model = narrow(backbone, seed=2)
    model.init_cfg = dict(type='Pretrained', checkpoint=file)
    model.init_weights()
    for name, value in trained.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


def test_the_config_survives_a_dump(tmp_path: Path) -> None:
    cfg = Config.fromfile(write(tmp_path, 1))
    cfg.dump(tmp_path / 'dumped.py')
    again = Config.fromfile(tmp_path / 'dumped.py')
    assert again.model == cfg.model
