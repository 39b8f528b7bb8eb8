from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.fft import dctn
from torch import nn

from mlfm_mm import MLFMNeck
from mlfm_mm.analysis.samples import Sample, generate_samples
from mlfm_mm.analysis.spectrum import (
    BINS,
    PICTURE,
    StageSpectrum,
    curves,
    dct,
    measure_spectrum,
    stages_of,
    tabulate,
)
from tests.analysis.networks import classifier, segmentor, toy_classifier
from tests.models.builders import ChannelsLastBackbone, ToyBackbone, ToyModel


def test_transform_is_scipys() -> None:
    maps = torch.randn(2, 5, 8, dtype=torch.float64)
    expected = dctn(maps.numpy(), axes=(1, 2), norm='ortho')
    np.testing.assert_allclose(dct(maps).numpy(), expected, atol=1e-12)


def test_noise_is_flat_and_a_wave_has_its_ring() -> None:
    found = StageSpectrum('x')
    found.add(torch.randn(64, 48, 48, generator=torch.manual_seed(0)))
    curve = found.curve()
    assert all(abs(power - 1) < 0.2 for power in curve if power is not None)
    # A quarter disc of radius 0.5 in a square of 1.
    assert found.low[0] == pytest.approx(np.pi / 16, abs=0.02)
    wave = torch.cos(np.pi * 12 / 48 * (torch.arange(48) + 0.5))
    found = StageSpectrum('x')
    found.add(3 + wave.expand(1, 48, 48))
    assert np.nanargmax([p or 0 for p in found.curve()]) == BINS // 4
    assert found.low[0] == pytest.approx(1)
    assert found.mean[0] == pytest.approx(9 / 9.5)


def test_a_map_of_one_pixel() -> None:
    found = StageSpectrum('x')
    found.add(torch.ones(4, 1, 1))
    assert found.mean == [1.0] and set(found.curve()) == {None}
    table = tabulate(dict(a=[found]), '1 picture')
    assert table.rows[0]['low'] is None and table.cells()[0][2] == '-'


@pytest.mark.parametrize('arm', ['mlfm', 'baseline'])
def test_stages_are_seen_behind_their_units(arm: str, tmp_path: Path) -> None:
    network = classifier(tmp_path, arm)
    samples = generate_samples(network, 2)
    stages = measure_spectrum(network, samples)
    names = [PICTURE, 'relu', 'layer1', 'layer2', 'layer3', 'layer4']
    assert [stage.stage for stage in stages] == names
    # The last stage's is what the backbone returns.
    expected = StageSpectrum('layer4')
    with torch.no_grad():
        for sample in samples:
            (x,) = network.model.backbone(sample.x)
            expected.add(x[0])
    assert stages[-1].low == pytest.approx(expected.low)
    for name in names[1:]:
        module = network.model.backbone.get_submodule(name)
        assert len(module._forward_hooks) == (arm == 'mlfm')


def test_a_memory_among_several_necks() -> None:
    necks = nn.Sequential(MLFMNeck(taps=['stage1']), nn.Identity())
    model = ToyModel(ToyBackbone(), necks)
    assert [tap.module for tap in stages_of(model)] == ['stage1']


def test_maps_with_the_channels_last() -> None:
    x = torch.randn(1, 3, 40, 64, generator=torch.manual_seed(0))
    sample = Sample('x', x, np.zeros((40, 64, 3)))
    for a, b in zip(
        *(
            measure_spectrum(toy_classifier(backbone), [sample])
            for backbone in (ToyBackbone, ChannelsLastBackbone)
        ),
        strict=True,
    ):
        assert (a.stage, a.low) == (b.stage, pytest.approx(b.low))


def test_networks_side_by_side(tmp_path: Path) -> None:
    network = segmentor(tmp_path)
    samples = generate_samples(network, 2)
    first, alone = (measure_spectrum(network, samples) for _ in range(2))
    spectra = dict(a=measure_spectrum(network, samples, first), b=alone)
    assert [len(stage.mean) for stage in spectra['a']] == [4] * 4
    rows = tabulate(spectra, '2 pictures').rows
    assert [(r['stage'], r['network']) for r in rows[:3]] == [
        (PICTURE, 'a'),
        (PICTURE, 'b'),
        ('encoder.0', 'a'),
    ]
    assert 0 < rows[0]['low'] < 1 and rows[0]['low_deviation'] > 0
    found = curves(spectra)
    assert found['a'][PICTURE] == pytest.approx(found['b'][PICTURE])
    assert len(found['a']) == 4 and len(found['a'][PICTURE]) == BINS
