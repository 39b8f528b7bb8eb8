"""Options that change what the network computes, but no weight."""

import pickle
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from mmengine.model import ExponentialMovingAverage
from mmengine.runner import get_state_dict, load_state_dict, save_checkpoint
from torch import Tensor, nn

from mlfm_mm import MLFMNeck
from mlfm_mm.engine import UsageError
from mlfm_mm.engine.weights import load_whole, read_checkpoint
from mlfm_mm.registry import MODELS
from tests.models.builders import ToyBackbone, ToyModel
from tests.models.test_pretrained import classifier, started

OPTIONS = {
    'identity_init': dict(identity_init=True),
    'wavelet': dict(wavelet='db2'),
    'act_cfg': dict(act_cfg=dict(type='LeakyReLU', negative_slope=0.1)),
    'taps': dict(taps=['maxpool', 'layer1']),
}
# What each is compared with; the shapes of its weights are the same.
OTHERS: dict[str, dict] = {'taps': dict(taps=['relu', 'layer1'])}
SAME = [
    (dict(), dict(with_cp=True, kernels=False)),
    (dict(wavelet='haar'), dict(wavelet='db1')),
    (dict(), dict(act_cfg=dict(type='ReLU', inplace=False))),
    (dict(), dict(act_cfg=dict(type=nn.ReLU))),
    (dict(), dict(norm_cfg=dict(type='SyncBN'))),
]


def refused(model: nn.Module, state: dict[str, Tensor]) -> str:
    """What PyTorch says, unless names may differ."""
    model.load_state_dict(state, strict=False)
    with pytest.raises(RuntimeError) as caught:
        model.load_state_dict(state)
    return str(caught.value)


@pytest.mark.parametrize('name', OPTIONS)
def test_weights_of_another_formula_are_refused(name: str) -> None:
    first, second = OPTIONS[name], OTHERS.get(name, {})
    for ours, theirs in ((first, second), (second, first)):
        model, other = classifier(**ours), classifier(**theirs)
        text = refused(model, other.state_dict())
        assert f'neck.units were trained with {name}=' in text
        assert len(text.splitlines()) == 2
        model.load_state_dict(classifier(**ours).state_dict())


@pytest.mark.parametrize(('ours', 'theirs'), SAME, ids=str)
def test_what_changes_no_number_is_not_compared(
    ours: dict, theirs: dict
) -> None:
    classifier(**ours).load_state_dict(classifier(**theirs).state_dict())


def toy(**options: bool) -> ToyModel:
    return ToyModel(ToyBackbone(), MLFMNeck(**options))


@pytest.mark.parametrize(
    'copied', [deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_copies_tell_and_compare(copied: type) -> None:
    changed = toy(identity_init=True)
    assert 'identity_init=True, not identity_init=False' in refused(
        toy(), copied(changed).state_dict()
    )
    assert 'identity_init=False, not identity_init=True' in refused(
        copied(changed), toy().state_dict()
    )


def test_averages_tell_and_compare() -> None:
    average = ExponentialMovingAverage(toy(identity_init=True))
    other = ExponentialMovingAverage(toy())
    assert 'identity_init' in refused(other, average.state_dict())


def test_weights_that_tell_nothing_are_taken() -> None:
    plain = dict(toy(identity_init=True).state_dict())
    toy().load_state_dict(plain)


def test_a_checkpoint_tells(tmp_path: Path) -> None:
    model, path = toy(identity_init=True), str(tmp_path / 'net.pth')
    # As the Runner does, also where the model is in a wrapper.
    for wrapped in (model, nn.ModuleDict(dict(module=model))):
        weights = get_state_dict(wrapped)
        save_checkpoint(dict(state_dict=weights, meta={}), path)
        found = read_checkpoint(path)
        load_whole(toy(identity_init=True), found, 'x.py')
        with pytest.raises(
            UsageError, match='identity_init=True, not identity_init'
        ):
            load_whole(toy(), found, 'x.py')
        load_whole(toy(), found, 'x.py', allow_partial=True)


def test_a_host_s_loader_tells(capsys: pytest.CaptureFixture[str]) -> None:
    load_state_dict(toy(), toy(identity_init=True).state_dict())
    assert 'trained with identity_init=True' in capsys.readouterr().out


def test_units_beside_a_pretrained_backbone_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(
        'mlfm_mm.models.pretrained.print_log',
        lambda text, *_: told.append(text),
    )
    path = str(tmp_path / 'net.pth')
    torch.save(dict(state_dict=classifier().state_dict()), path)
    started(path, 'backbone.')
    assert not told
    started(path, 'backbone.', wavelet='db2')
    (text,) = told
    assert 'were trained with wavelet=haar, not wavelet=db2' in text


def test_a_classifier_of_timm_tells() -> None:
    pytest.importorskip('timm')

    def build(**options: bool) -> nn.Module:
        neck = dict(type='mlfm_mm.MLFMNeck', **options)
        net = dict(type='mlfm_mm.TimmClassifier', neck=neck)
        return MODELS.build(dict(net, model_name='resnet18'))

    changed = build(identity_init=True)
    assert 'identity_init=True' in refused(build(), changed.state_dict())
    changed.load_state_dict(changed.state_dict())


def test_an_average_of_mmpretrain_goes_on() -> None:
    """Its hook loads before ours compares, by whatever it is told."""
    average = ExponentialMovingAverage(toy(identity_init=True))
    other = ExponentialMovingAverage(toy())
    other.load_state_dict(average.state_dict(), strict=False)


def test_units_that_were_replaced() -> None:
    model = toy()
    model.neck.units[0] = nn.Identity()
    assert model.state_dict()._metadata['neck']['formula']
