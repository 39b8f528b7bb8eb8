"""Grad-CAM behind the unit, against gradients taken by hand."""

import sys
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
from mlfm_mm.engine import UsageError
from tests.analysis.networks import classifier, segmentor, toy_classifier
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


def test_names_of_classes(tmp_path: Path) -> None:
    network = classifier(tmp_path)
    network.meta['classes'] = ['tabby, cat', 'dog']
    assert find_class(network, 'Dog') == 1 and find_class(network, '0') == 0
    assert find_class(network, None) is None
    with pytest.raises(UsageError, match=r'no such class; .* tabby, cat, dog'):
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
    figure.savefig(tmp_path / 'x.png')
    rows = tabulate(found[0]).rows
    assert len(rows) == 3 and 0 < rows[0]['area'] < 1
