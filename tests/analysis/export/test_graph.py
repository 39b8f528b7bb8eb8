from dataclasses import replace
from pathlib import Path

import pytest
import torch
from mmseg.models.utils import Upsample
from torch import Tensor, nn
from torch.torch_version import TorchVersion

from mlfm_mm.analysis.export import (
    check_exported,
    describe,
    export_network,
    open_exported,
    save,
)
from mlfm_mm.analysis.export.graph import (
    Logits,
    find_divisor,
    fold_units,
    open_sizes,
)
from mlfm_mm.analysis.samples import generate_samples
from mlfm_mm.engine import HOSTS, UsageError
from tests.analysis.networks import classifier, segmentor
from tests.models.builders import shaken

CASCADE = """
head = model['decode_head']
objects = dict(head, type='OCRHead', ocr_channels=4)
for key in ('num_convs', 'concat_input'):
    objects.pop(key)
model.update(
    type='CascadeEncoderDecoder', num_stages=2, decode_head=[head, objects]
)
"""


def test_units_are_folded_and_numbers_kept(tmp_path: Path) -> None:
    network, x = classifier(tmp_path), torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        expected = network.model(x)
        exported = export_network(network, (32, 32))
        found = exported.program.module()(x)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
        # The network is as it was.
        assert torch.equal(network.model(x), expected)
    names = [str(node.target) for node in exported.program.graph.nodes]
    moments = [name for name in names if 'running_mean' in name]
    assert not [name for name in moments if 'neck' in name]


class Activated(nn.BatchNorm2d):
    """A norm that holds its activation, as timm's do."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).relu()


@pytest.mark.parametrize('format_', ['onnx', 'pt2'])
def test_norms_that_belong_to_no_convolution(
    format_: str, tmp_path: Path
) -> None:
    """One behind an activation, and one that holds an activation."""
    network = classifier(tmp_path)
    block = network.model.backbone.layer1[0]
    channels = block.conv2.out_channels
    block.conv2 = nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(channels),
        nn.Conv2d(channels, channels, 3, padding=1),
        Activated(channels),
    )
    shaken(block.conv2).eval()
    samples = generate_samples(network, 1)
    with torch.no_grad():
        expected = network.model(samples[0].x)
    exported = export_network(network, None)
    path = tmp_path / f'net.{format_}'
    save(exported, describe(network, exported), path)
    check_exported(path, exported, samples)
    with torch.no_grad():
        found = open_exported(path)(samples[0].x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('format_', ['onnx', 'pt2'])
def test_a_norm_named_by_a_keyword(format_: str, tmp_path: Path) -> None:
    """mmcv calls an instance norm ``in``, which is no name in Python."""
    instance = "dict(type='IN', affine=True)"
    more = f"model['neck'] = dict(norm_cfg={instance}, identity_init=True)\n"
    network = classifier(tmp_path, more=more)
    exported = export_network(network, None)
    path = tmp_path / f'net.{format_}'
    save(exported, describe(network, exported), path)
    check_exported(path, exported, generate_samples(network, 1))
    assert hasattr(network.model.neck.units[0].input_gate, 'in')


def test_an_old_pytorch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = classifier(tmp_path)
    monkeypatch.setattr(torch, '__version__', TorchVersion('2.5.0+cpu'))
    with pytest.raises(UsageError, match=r'PyTorch 2.5.0\+cpu cannot trace'):
        export_network(network, None)


def test_a_network_of_another_host(tmp_path: Path) -> None:
    network = replace(classifier(tmp_path), host=HOSTS['mmdet'])
    with pytest.raises(UsageError, match='mlfm is a network of mmdet: only'):
        export_network(network, None)


def test_units_with_another_norm_stay_as_they_are(tmp_path: Path) -> None:
    network = classifier(tmp_path)
    unit = network.model.neck.units[0]
    unit.output_gate = nn.GroupNorm(2, 4)
    fold_units(network.model)
    assert unit.output_gate.weight.shape == (4,)


def test_upsampling_by_a_factor_leaves_sizes_open() -> None:
    up = Upsample(scale_factor=2, mode='bilinear', align_corners=False)
    model, x = nn.Sequential(up), torch.randn(1, 2, 3, 5)
    expected = model(x)
    open_sizes(model)
    assert type(model[0]) is not Upsample
    torch.testing.assert_close(model(x), expected)


def test_a_decoder_must_meet_its_encoder(tmp_path: Path) -> None:
    network = segmentor(tmp_path)
    logits = Logits(network)
    assert find_divisor(logits, network) == 4
    with torch.no_grad():
        assert logits(torch.zeros(1, 3, 32, 64)).shape == (1, 2, 32, 64)


def test_a_network_of_one_size_only(tmp_path: Path) -> None:
    network = classifier(tmp_path)
    network.model.backbone.register_forward_pre_hook(refuse)
    with pytest.raises(UsageError, match='give --size HEIGHT WIDTH'):
        export_network(network, None)


def refuse(module: nn.Module, args: tuple) -> None:
    raise ValueError('one size only')


def test_a_size_that_it_does_not_take(tmp_path: Path) -> None:
    network = segmentor(tmp_path)
    with pytest.raises(UsageError, match=r'--size 33 65: unet does not take'):
        export_network(network, (33, 65))


@pytest.mark.parametrize('size', [None, (32, 32)])
@pytest.mark.parametrize('tasks', [0, 2])
def test_no_logits(
    tasks: int, size: tuple[int, int] | None, tmp_path: Path
) -> None:
    network = classifier(tmp_path)
    network.model.head = TwoTasks() if tasks else None
    with pytest.raises(UsageError, match=r'returns a (tuple|dict) instead of'):
        export_network(network, size)


class TwoTasks(nn.Module):
    """As MultiTaskHead of mmpretrain returns them."""

    def forward(self, x: tuple[Tensor, ...]) -> dict[str, Tensor]:
        return dict(a=x[-1], b=x[-1])


def test_a_head_of_several_outputs(tmp_path: Path) -> None:
    """DAHead and EncHead predict by the first of them."""
    network = segmentor(tmp_path)
    head = network.model.decode_head
    forward, x = head.forward, torch.randn(1, 3, 32, 64)
    with torch.no_grad():
        expected = Logits(network)(x)
        head.forward = lambda inputs: (forward(inputs), None)
        assert torch.equal(Logits(network)(x), expected)


def test_heads_in_a_cascade(tmp_path: Path) -> None:
    network = segmentor(tmp_path, CASCADE)
    x = torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        (sample,) = network.model.predict(x)
        found = Logits(network)(x)
    assert torch.equal(found.argmax(1), sample.pred_sem_seg.data)
    assert find_divisor(Logits(network), network) == 4


def test_why_no_size_is_taken(tmp_path: Path) -> None:
    network = segmentor(tmp_path)
    handle = network.model.backbone.register_forward_pre_hook(refuse)
    with pytest.raises(UsageError, match=r'give --size .* \(ValueError: one'):
        find_divisor(Logits(network), network)
    handle.remove()
    network.model.decode_head = nn.Identity()
    with pytest.raises(UsageError, match='returns a list instead of'):
        find_divisor(Logits(network), network)
