"""Records of three configs, one with results."""

from dataclasses import replace

import pytest

from model_zoo import Record

STEMS = {
    'resnet18_in100': 'mmpretrain',
    'resnet18_cifar10': 'mmpretrain',
    'fcn_r18_d8_camvid': 'mmseg',
}
RUN = dict(seed=0, length=90, unit='epochs', best=80.5, best_at=70, final=80.0)


@pytest.fixture
def records() -> list[Record]:
    found = [
        Record(
            f'configs/{arm}/{stem}.py',
            *(11_227_812, 2_368_784_384, (256, 256), scope),
        )
        for stem, scope in STEMS.items()
        for arm in ('baseline', 'mlfm')
    ]
    found[0] = replace(found[0], published=77.86)
    found[1] = replace(found[1], published=81.22, runs=(RUN,))
    return found
