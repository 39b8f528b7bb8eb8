"""Grad-CAM behind the unit, against gradients taken by hand."""

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

pytest.importorskip('pytorch_grad_cam')

from mlfm_mm.analysis.export.graph import Logits
from mlfm_mm.analysis.grad_cam import draw, find_class, look, tabulate
from mlfm_mm.analysis.samples import Sample, generate_samples
from mlfm_mm.analysis.trained import Trained
from mlfm_mm.engine import HOSTS, UsageError
from tests.analysis.networks import (
    BINARY,
    classifier,
    segmentor,
    toy_classifier,
)
from tests.models.builders import ChannelsLastBackbone, ToyBackbone


def by_hand(feature: Tensor, score: Tensor, size: int) -> np.ndarray:
    (gradient,) = torch.autograd.grad(score, feature)
    weights = gradient.mean((2, 3), keepdim=True)
    cam = (weights * feature).sum(1)[0].relu().detach().numpy()
    cam = cv2.resize(cam - cam.min(), (size, size))
    return (cam - cam.min()) / (cam.max() - cam.min())


@pytest.mark.parametrize('arm', ['mlfm', 'baseline'])
def test_a_class_of_a_picture(arm: str, tmp_path: Path) -> None:
    network = classifier(tmp_path, arm)
    (sample,) = generate_samples(network)
    focus = look(network, sample)
    assert focus.layer == 'layer4'
    # What the backbone returns is what the last unit has given.
    model = network.model
    (feature,) = model.backbone(sample.x)
    logits = model.head(model.neck((feature,)))[0]
    label = int(logits.argmax())
    expected = by_hand(feature, logits[label], 32)
    np.testing.assert_allclose(focus.cam, expected, atol=1e-5)
    assert focus.label == str(label)
    assert focus.score == pytest.approx(logits.softmax(0)[label].item())


def test_a_network_without_logits(tmp_path: Path) -> None:
    network = replace(classifier(tmp_path), host=HOSTS['mmpose'])
    with pytest.raises(UsageError, match='a network of mmpose: only'):
        look(network, *generate_samples(network))


def test_maps_with_the_channels_last() -> None:
    x = torch.randn(1, 3, 40, 64, generator=torch.manual_seed(0))
    sample = Sample('x', x, np.zeros((40, 64, 3)))
    first, last = (
        look(toy_classifier(backbone), sample, label=0)
        for backbone in (ToyBackbone, ChannelsLastBackbone)
    )
    np.testing.assert_allclose(first.cam, last.cam, atol=1e-5)


def test_segments_of_a_class(tmp_path: Path) -> None:
    network = segmentor(tmp_path)
    (sample,) = generate_samples(network)
    x = sample.x[..., :64, :64]
    sample = type(sample)('x', x, sample.picture[:64, :64])
    focus = look(network, sample, label=1)
    kept: list[Tensor] = []
    module = network.model.backbone.get_submodule(focus.layer)
    module.register_forward_hook(lambda m, i, out: kept.append(out))
    logits = Logits(network)(x)[0]
    mask = logits.argmax(0) == 1
    assert focus.score == pytest.approx(float(mask.float().mean()))
    mask = mask if mask.any() else ~mask
    expected = by_hand(kept[0], (logits[1] * mask).sum(), 64)
    np.testing.assert_allclose(focus.cam, expected, atol=1e-4)


@pytest.mark.parametrize('label', [0, 1])
def test_a_mask_of_one_channel_has_two_classes(
    label: int, tmp_path: Path
) -> None:
    network = segmentor(tmp_path, BINARY)
    (sample,) = generate_samples(network)
    sample = Sample('x', sample.x[..., :64, :64], sample.picture[:64, :64])
    focus = look(network, sample, label)
    assert focus.cam.max() == pytest.approx(1, abs=1e-3)
    with torch.no_grad():
        seen = network.model(sample.x, mode='tensor').sigmoid() > 0.5
    share = float((seen == label).float().mean())
    assert focus.score == pytest.approx(share, abs=0.01)


def test_scores_of_several_labels_are_the_hosts(tmp_path: Path) -> None:
    head = dict(type='MultiLabelLinearClsHead', num_classes=10, in_channels=32)
    more = f"model['head'] = dict(_delete_=True, **{head})\n"
    network = classifier(tmp_path, more=more)
    (sample,) = generate_samples(network)
    focus = look(network, sample)
    with torch.no_grad():
        (told,) = network.model.predict(sample.x)
    expected = float(told.pred_score[int(focus.label)])
    assert focus.score == pytest.approx(expected)


def test_a_frozen_backbone(tmp_path: Path) -> None:
    more = "model['backbone'].update(frozen_stages=4)\n"
    frozen = classifier(tmp_path, 'baseline', more)
    (sample,) = generate_samples(frozen)
    maps = [look(frozen, sample).cam]
    frozen.model.requires_grad_(True)
    maps.append(look(frozen, sample).cam)
    np.testing.assert_allclose(*maps, atol=1e-5)


def test_names_of_classes(tmp_path: Path) -> None:
    network = classifier(tmp_path)
    network.meta['classes'] = ['tabby, cat', 'dog']
    assert find_class(network, 'Dog') == 1 and find_class(network, '0') == 0
    assert find_class(network, None) is None
    network.meta['classes'] = ['1', '10', '2', 'carpet', 'toy car, car']
    found = [find_class(network, name) for name in ('1', '2', 'car', 'carp')]
    assert found == [0, 2, 4, 3]
    with pytest.raises(UsageError, match=r'no such class; .* toy car, car'):
        find_class(network, 'bird')


@pytest.fixture
def network(tmp_path: Path) -> Trained:
    return classifier(tmp_path)


def test_what_is_not_there(network: Trained) -> None:
    (sample,) = generate_samples(network)
    with pytest.raises(UsageError, match='units sit behind relu, layer1'):
        look(network, sample, layer='layer9')
    with pytest.raises(UsageError, match='has 10 classes'):
        look(network, sample, label=10)


def test_the_library_is_absent(
    network: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'pytorch_grad_cam', None)
    (sample,) = generate_samples(network)
    with pytest.raises(UsageError, match=r'pip install .mlfm_mm\[analysis\]'):
        look(network, sample)


def test_pictures_side_by_side(network: Trained, tmp_path: Path) -> None:
    samples = generate_samples(network, 2)
    found = [[look(network, sample)] * 3 for sample in samples]
    figure = draw(samples, found, 'title')
    assert len(figure.axes) == 2 * 4 + 1
    # A network of another input size saw the same picture.
    small = replace(found[0][0], cam=np.zeros((8, 8)))
    panel = draw(samples[:1], [[small]], 'title').axes[1]
    assert panel.get_xlim() == (-0.5, samples[0].picture.shape[1] - 0.5)
    figure.savefig(tmp_path / 'x.png')
    rows = tabulate(found[0]).rows
    assert len(rows) == 3 and 0 < rows[0]['area'] < 1
