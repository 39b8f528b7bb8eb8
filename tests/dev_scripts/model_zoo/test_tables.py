"""What the generated files say of what is known."""

from dataclasses import replace

import pytest
import yaml

from model_zoo import Record
from model_zoo.metafiles import metafiles
from model_zoo.tables import blocks

STEMS = {
    'resnet18_in100': 'mmpretrain',
    'resnet18_cifar10': 'mmpretrain',
    'fcn_r18_d8_camvid': 'mmseg',
}
RUN = dict(seed=0, length=90, unit='epochs', best=80.5, best_at=70, final=80.0)
PATHS = [f'configs/{arm}/resnet18_in100.py' for arm in ('baseline', 'mlfm')]


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


def models(records: list[Record], arm: str) -> dict[str, dict]:
    text = metafiles(records)[f'configs/{arm}/metafile.yml']
    return {model['Name']: model for model in yaml.safe_load(text)['Models']}


def test_sources_of_results_are_told_apart(records: list[Record]) -> None:
    model = models(records, 'mlfm')['resnet18-mlfm_in100']
    assert model['Config'] == 'configs/mlfm/resnet18_in100.py'
    assert model['Metadata']['Parameters'] == 11_227_812
    assert model['Results'] == [
        dict(
            Task='Image Classification',
            Dataset='ImageNet-100 (published)',
            Metrics={'Top 1 Accuracy': 81.22},
        ),
        dict(
            Task='Image Classification',
            Dataset='ImageNet-100 (measured)',
            Metrics={
                'Top 1 Accuracy': 80.5,
                'Top 1 Accuracy at the end': 80.0,
                'Runs': 1,
            },
        ),
    ]
    unknown = models(records, 'baseline')['resnet18_cifar10']['Results']
    assert unknown == [
        dict(Task='Image Classification', Dataset='CIFAR-10', Metrics=None)
    ]
    (segmentor,) = models(records, 'mlfm')['fcn_r18_d8-mlfm_camvid']['Results']
    assert segmentor['Task'] == 'Semantic Segmentation'


def test_tables_of_a_page(records: list[Record]) -> None:
    block = blocks(records, PATHS)['configs/mlfm/README.md#configs']
    _, *parts = f'\n{block}'.split('\n## ')
    titles = [part.splitlines()[0] for part in parts]
    assert titles == ['ImageNet-100', 'CIFAR-10', 'CamVid']
    assert (
        '| [resnet18_in100](resnet18_in100.py) | 256 | 11.2278 | 2.3688 '
        '| 81.22 | 80.50 best (70), 80.00 last of 90 epochs, 1 seed |'
    ) in parts[0]
    assert 'top-1 published' in parts[1] and '| - | - |' in parts[1]
    assert 'mIoU measured' in parts[2] and 'top-1' not in parts[2]


def test_table_of_the_readme(records: list[Record]) -> None:
    text = blocks(records, PATHS)['README.md#published']
    assert text.endswith('Measured: best / last epoch of our own runs.')
    (row,) = (line for line in text.splitlines() if 'resnet18' in line)
    assert row == (
        '| [resnet18](configs/mlfm/resnet18_in100.py) | 77.86 | 81.22 '
        '| - | 80.50 / 80.00 | 11.228 → 11.228 | 2.369 → 2.369 |'
    )
    records[1] = replace(records[1], runs=())
    text = blocks(records, PATHS)['README.md#published']
    assert 'Nothing in this table was measured' in text
    assert 'measured |' not in text
