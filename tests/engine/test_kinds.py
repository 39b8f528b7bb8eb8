import pytest
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import nn

from mlfm_mm.engine import UsageError
from mlfm_mm.engine.hooks import StallHook
from mlfm_mm.engine.kinds import (
    dicts,
    find_datasets,
    is_kind,
    kind_of,
    set_hook,
)

NAMES = ['SyncBN', 'mmengine.SyncBN', 'torch.nn.SyncBatchNorm']


@pytest.mark.parametrize('kind', [*NAMES, nn.SyncBatchNorm])
@pytest.mark.parametrize('scope', [None, 'mmpretrain', 'mmseg'])
def test_each_way_to_name_a_class(kind: object, scope: str | None) -> None:
    settings = dict(type=kind)
    assert is_kind(settings, nn.SyncBatchNorm, MODELS, scope)
    assert is_kind(settings, nn.Module, MODELS, scope)
    assert not is_kind(settings, nn.Conv2d, MODELS, scope)


@pytest.mark.parametrize('settings', [dict(), dict(type='no.such.Class')])
def test_no_class(settings: dict) -> None:
    assert kind_of(settings, MODELS) is None
    assert not is_kind(settings, object, MODELS)


def test_a_function_is_no_class() -> None:
    assert not is_kind(dict(type=len), object, MODELS)


def test_dicts_come_outermost_first() -> None:
    tree = dict(a=[dict(b=1), (dict(c=dict(d=2)),)])
    assert [list(found) for found in dicts(tree)] == [
        ['a'],
        ['b'],
        ['c'],
        ['d'],
    ]


def test_a_wrapped_data_set() -> None:
    inner = dict(type='Images', pipeline=[dict(type='Load')])
    wrapper = dict(type='RepeatDataset', times=2, dataset=inner)
    cfg = Config(dict(test_dataloader=dict(dataset=wrapper)))
    assert find_datasets(cfg) == [inner]
    with pytest.raises(UsageError, match='no test_dataloader'):
        find_datasets(Config())


def test_data_sets_side_by_side() -> None:
    load = [dict(type='Load')]
    first = dict(type='Images', pipeline=load)
    # Of two that hold one another, the outer one has the last word.
    outer = dict(type='Mixed', pipeline=load, dataset=dict(first))
    both = dict(type='ConcatDataset', datasets=[first, dict(dataset=outer)])
    cfg = Config(dict(test_dataloader=dict(dataset=both)))
    assert find_datasets(cfg) == [first, outer]


def test_a_hook_joins_others() -> None:
    cfg = Config(dict(custom_hooks=[dict(type='EMAHook')]))
    set_hook(cfg, 'mlfm_mm.StallHook', timeout=5)
    assert cfg.custom_hooks == [
        dict(type='EMAHook'),
        dict(type='mlfm_mm.StallHook', timeout=5),
    ]


@pytest.mark.parametrize('kind', ['StallHook', 'mlfm_mm.StallHook', StallHook])
def test_a_hook_comes_once(kind: object) -> None:
    cfg = Config(dict(custom_hooks=[dict(type=kind, timeout=5)]))
    set_hook(cfg, 'mlfm_mm.StallHook')
    assert cfg.custom_hooks == [dict(type=kind, timeout=5)]
    set_hook(cfg, 'mlfm_mm.StallHook', timeout=9)
    assert cfg.custom_hooks == [dict(type=kind, timeout=9)]
