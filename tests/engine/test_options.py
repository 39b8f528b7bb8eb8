import ast
from importlib.util import find_spec
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.optim import OptimWrapper

from mlfm_mm.engine import HOSTS, UsageError
from mlfm_mm.engine.options import (
    check_keys,
    load_config,
    set_loader_defaults,
)

REPO = Path(__file__).resolve().parents[2]


def write(folder: Path, text: str) -> str:
    path = folder / 'x.py'
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('model = dict(\n', 'cannot be read: SyntaxError'),
        ("_base_ = 'none.py'", 'cannot be read: FileNotFoundError'),
        ('a = 1 / 0', 'cannot be read: ZeroDivisionError'),
        ("load_form = 'net.pth'", "did you mean 'load_from'?"),
        ('train_dataloder = dict()', "did you mean 'train_dataloader'?"),
        ("custom_hooks = ['a']", "custom_hooks[0]='a' is no hook: give dict("),
        ('custom_hooks = [None]', 'custom_hooks[0]=None is no hook'),
        ("custom_hooks = 'ab'", "custom_hooks='ab': give [dict("),
        ("default_hooks = ['ab']", "default_hooks=['ab']: give dict(NAME="),
        ('default_hooks = dict(timer=3)', 'default_hooks.timer=3 is no hook'),
    ],
)
def test_mistakes(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_config(write(tmp_path, text))
    assert message in str(caught.value)


def test_the_config_of_an_installed_host() -> None:
    cfg = load_config('mmpretrain::resnet/resnet18_8xb32_in1k.py', {}, True)
    assert cfg.model.neck.type == 'mlfm_mm.MLFMNeck'
    with pytest.raises(UsageError, match="there is no package 'mmnone'"):
        load_config('mmnone::resnet/resnet18_8xb32_in1k.py')
    with pytest.raises(UsageError, match=r'resnet/none\.py cannot be read'):
        load_config('mmpretrain::resnet/none.py')


def test_a_misspelt_option(tmp_path: Path) -> None:
    path = write(tmp_path, 'model = dict()')
    with pytest.raises(UsageError, match="'modle': did you mean 'model'"):
        load_config(path, {'modle.head.num_classes': 7})
    cfg = load_config(path, {'model.head.num_classes': 7})
    assert cfg.model.head.num_classes == 7


COPIED = """
data_root = 'data/mine'
flips = [dict(type='RandomFlip')]
train_dataloader = dict(dataset=dict(data_root=data_root, pipeline=flips))
train_cfg = dict(max_epochs=3)
flag = 3
"""


@pytest.mark.parametrize(
    ('option', 'place'),
    [
        ('data_root', 'train_dataloader.dataset.data_root'),
        ('flips.0.prob', 'train_dataloader.dataset.pipeline'),
        ('max_epochs', 'train_cfg.max_epochs'),
    ],
)
def test_a_variable_that_is_not_read_again(
    option: str, place: str, tmp_path: Path
) -> None:
    path = write(tmp_path, COPIED)
    with pytest.raises(
        UsageError, match=rf'nothing reads it .*: set {place} \('
    ):
        load_config(path, {option: 1})


def test_variables_of_ones_own(tmp_path: Path) -> None:
    # A hook may read them from runner.cfg.
    path = Path(write(tmp_path, COPIED))
    cfg = load_config(path, {'flag': 4, 'other': 5})
    assert (cfg.flag, cfg.other) == (4, 5)
    # Set beside its only copy, or of the name of something else.
    load_config(path, {'max_epochs': 5, 'train_cfg.max_epochs': 5})
    path.write_text("dataset = 3\nword = 'data/mine'\n" + COPIED)
    load_config(path, {'dataset': 4, 'word': 'data/other'})


def test_a_variable_that_several_keys_share(tmp_path: Path) -> None:
    text = (
        "evaluator = dict(type='Accuracy')\n"
        'val_evaluator = test_evaluator = evaluator\n'
    )
    cfg = load_config(write(tmp_path, text))
    assert cfg.val_evaluator == cfg.evaluator
    with pytest.raises(UsageError, match="'evaluator': did you mean"):
        load_config(write(tmp_path, "evaluator = dict(type='Accuracy')"))


def test_options_are_not_changed(tmp_path: Path) -> None:
    """MMEngine takes `_delete_` out, and would merge the next time."""
    path = write(tmp_path, 'train_cfg = dict(max_epochs=1)')
    options = {'train_cfg': dict(max_iters=2, _delete_=True)}
    for _ in range(2):
        assert load_config(path, options).train_cfg == dict(max_iters=2)


def test_a_variable_that_is_unpacked(tmp_path: Path) -> None:
    text = (
        'dataloader = dict(batch_size=2)\n'
        'train_dataloader = dict(num_workers=2, **dataloader)\n'
    )
    cfg = load_config(write(tmp_path, text))
    assert cfg.train_dataloader == dict(batch_size=2, num_workers=2)
    # What a base config was to get, but for the name.
    text += 'train_dataloder = dict(batch_size=3)\n'
    with pytest.raises(UsageError, match="did you mean 'train_dataloader'"):
        load_config(write(tmp_path, text))


def test_what_a_config_in_pure_python_imports(tmp_path: Path) -> None:
    text = (
        'from mmengine.optim import OptimWrapper, build_optim_wrapper\n'
        'import mmengine.model as models\n'
        'optim_wrapper = dict(type=OptimWrapper)\n'
    )
    cfg = load_config(write(tmp_path, text))
    assert cfg.optim_wrapper.type is OptimWrapper
    with pytest.raises(UsageError, match="did you mean 'load_from'"):
        load_config(write(tmp_path, f"{text}load_form = 'net.pth'"))


def host_configs() -> list[Path]:
    """All configs of the hosts that are installed, and ours."""
    roots = [REPO / 'configs']
    for host in HOSTS:
        spec = find_spec(host)
        if spec is not None and spec.origin is not None:
            roots.append(Path(spec.origin).parent / '.mim' / 'configs')
    return [path for root in roots for path in root.rglob('*.py')]


def test_no_shipped_config_is_questioned() -> None:
    names: set[str] = set()
    for path in host_configs():
        for line in ast.parse(path.read_text(encoding='utf-8')).body:
            if isinstance(line, ast.Assign):
                targets = line.targets
                names |= {t.id for t in targets if isinstance(t, ast.Name)}
    assert len(names) > 50
    check_keys(Config(dict.fromkeys(names)))


def test_loader_keeps_what_is_set() -> None:
    loader = dict(num_workers=2, persistent_workers=False, pin_memory=True)
    set_loader_defaults(loader, HOSTS['mmseg'])
    assert loader == dict(
        num_workers=2, persistent_workers=False, pin_memory=True
    )


@pytest.mark.parametrize(
    ('base', 'option', 'place'),
    [
        (
            'mmpretrain::resnet/resnet18_8xb32_in1k.py',
            'train_pipeline.1.scale',
            r'train_dataloader\.dataset\.pipeline',
        ),
        (
            'mmpretrain::resnet/resnet18_8xb32_in1k.py',
            'vis_backends.0.type',
            r'visualizer\.vis_backends',
        ),
    ],
)
def test_variables_of_a_base_of_a_host(
    base: str, option: str, place: str, tmp_path: Path
) -> None:
    """MMEngine marks the variable with a scope, and not its copy."""
    path = write(tmp_path, f"_base_ = '{base}'\n")
    with pytest.raises(UsageError, match=f'nothing reads it .*: set {place}'):
        load_config(path, {option: 'x'})
