from pathlib import Path

import pytest
import torch
from mmseg.models.utils import Upsample
from torch import nn
from torch.torch_version import TorchVersion

from mlfm_mm.analysis.export import export_network
from mlfm_mm.analysis.export.graph import (
    Logits,
    find_divisor,
    fold_norms,
    open_sizes,
)
from mlfm_mm.engine import UsageError
from tests.analysis.networks import classifier, segmentor

CASCADE = """
head = model['decode_head']
objects = dict(head, type='OCRHead', ocr_channels=4)
for key in ('num_convs', 'concat_input'):
    objects.pop(key)
model.update(
    type='CascadeEncoderDecoder', num_stages=2, decode_head=[head, objects]
)
"""


def test_norms_are_folded_and_numbers_kept(tmp_path: Path) -> None:
    network, x = classifier(tmp_path), torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        expected = network.model(x)
        exported = export_network(network, (32, 32))
        found = exported.logits(x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    kept = [m for m in network.model.modules() if 'BatchNorm' in str(type(m))]
    assert not kept


def test_an_old_pytorch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = classifier(tmp_path)
    monkeypatch.setattr(torch, '__version__', TorchVersion('2.5.0+cpu'))
    with pytest.raises(UsageError, match=r'PyTorch 2.5.0\+cpu cannot trace'):
        export_network(network, None)


def test_units_with_another_norm_stay_as_they_are(tmp_path: Path) -> None:
    network = classifier(tmp_path)
    unit = network.model.neck.units[0]
    unit.output_gate = nn.GroupNorm(2, 4)
    fold_norms(network.model)
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
    network.model.decode_head = nn.Identity()
    with pytest.raises(UsageError, match=r'give --size .* \(.*Error: '):
        find_divisor(Logits(network), network)
