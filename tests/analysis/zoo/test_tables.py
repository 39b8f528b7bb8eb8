"""What the generated files say of what is known."""

from pathlib import Path

import pytest
import yaml

from mlfm_mm.analysis.zoo import (
    Cost,
    Entry,
    Zoo,
    find_entries,
    metafiles,
    out_of_date,
    pages,
    summary,
)
from mlfm_mm.analysis.zoo.results import Measured
from mlfm_mm.analysis.zoo.tasks import TASKS

REPO = Path(__file__).resolve().parents[3]
STEMS = {
    'resnet18_in100': 'mmpretrain',
    'resnet18_cifar10': 'mmpretrain',
    'fcn_r18_d8_camvid': 'mmseg',
}
RUN = dict(seed=0, length=90, unit='epochs', best=80.5, best_at=70, final=80.0)


@pytest.fixture
def zoo() -> Zoo:
    entries = [
        Entry(arm, stem) for stem in STEMS for arm in ('baseline', 'mlfm')
    ]
    plain, mlfm = (
        f'configs/{e.folder}/resnet18_in100.py' for e in entries[:2]
    )
    return Zoo(
        entries=entries,
        costs={
            e.path: Cost(11_227_812, 2_368_784_384, (256, 256))
            for e in entries
        },
        tasks={e.path: TASKS[STEMS[e.stem]] for e in entries},
        published={plain: 77.86, mlfm: 81.22},
        measured={mlfm: Measured((RUN,))},
    )


def models(zoo: Zoo, folder: str) -> dict[str, dict]:
    text = metafiles(zoo)[f'configs/{folder}/metafile.yml']
    return {model['Name']: model for model in yaml.safe_load(text)['Models']}


def test_sources_of_results_are_told_apart(zoo: Zoo) -> None:
    model = models(zoo, 'mlfm')['resnet18-mlfm_in100']
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
    unknown = models(zoo, 'baseline')['resnet18_cifar10']['Results']
    assert unknown == [
        dict(Task='Image Classification', Dataset='CIFAR-10', Metrics=None)
    ]
    (segmentor,) = models(zoo, 'mlfm')['fcn_r18_d8-mlfm_camvid']['Results']
    assert segmentor['Task'] == 'Semantic Segmentation'


def test_tables_of_a_page(zoo: Zoo) -> None:
    page = pages(zoo)['configs/mlfm/README.md']
    parts = page.split('\n## ')
    titles = [part.splitlines()[0] for part in parts[1:]]
    assert titles == ['ImageNet-100', 'CIFAR-10', 'CamVid']
    assert (
        '| [resnet18_in100](resnet18_in100.py) | 256 | 11.2278 | 2.3688 '
        '| 81.22 | 80.50 best (70), 80.00 last of 90 epochs, 1 seed |'
    ) in parts[1]
    assert 'top-1 published' in parts[2] and '| - | - |' in parts[2]
    assert 'mIoU measured' in parts[3] and 'top-1' not in parts[3]


def test_table_of_the_readme(zoo: Zoo) -> None:
    text = summary(zoo)
    assert '**Measured**' in text
    (row,) = (line for line in text.splitlines() if 'resnet18' in line)
    assert row == (
        '| [resnet18](configs/mlfm/resnet18_in100.py) | 77.86 | 81.22 '
        '| - | 80.50 / 80.00 | 11.228 → 11.228 | 2.369 → 2.369 |'
    )
    zoo.measured.clear()
    text = summary(zoo)
    assert 'Nothing in this table was measured' in text
    assert 'measured |' not in text


def test_out_of_date(tmp_path: Path) -> None:
    (tmp_path / 'same').write_text('a')
    (tmp_path / 'other').write_text('a')
    files = dict(same='a', other='b', absent='c')
    assert out_of_date(tmp_path, files) == ['other', 'absent']


def test_each_config_is_named_by_its_network_and_data() -> None:
    entries = find_entries(REPO)
    assert len({entry.model for entry in entries}) == len(entries)
    # A data set that is not known would be shown by its short name.
    assert not [e.stem for e in entries if e.dataset == e.data]
