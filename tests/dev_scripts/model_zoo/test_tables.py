"""What the generated tables say of what is known."""

from model_zoo import Record
from model_zoo.tables import blocks

PATHS = [f'configs/{arm}/resnet18_in100.py' for arm in ('baseline', 'mlfm')]


def test_tables_of_a_page(records: list[Record]) -> None:
    block = blocks(records, PATHS)['configs/mlfm/README.md#configs']
    _, *parts = f'\n{block}'.split('\n## ')
    titles = [part.splitlines()[0] for part in parts]
    assert titles == ['ImageNet-100', 'CIFAR-10', 'CamVid']
    assert (
        '| [resnet18_in100](resnet18_in100.py) | 256 | 11.2278 | 2.3688 '
        '| 81.22 | 80.50 best (70), 80.00 last of 90 epochs, 1 seed |'
    ) in parts[0]
    assert 'top-1 published' in parts[0]
    # Of other data sets nothing is published.
    assert 'published' not in parts[1] and parts[1].rstrip()[-5:] == '| - |'
    assert 'mIoU measured' in parts[2] and 'top-1' not in parts[2]


def test_table_of_the_published(records: list[Record]) -> None:
    text = blocks(records, PATHS)['configs/mlfm/README.md#published']
    assert text.endswith('Nothing in this table was measured here.')
    (row,) = (line for line in text.splitlines() if 'resnet18' in line)
    assert row == (
        '| [resnet18](resnet18_in100.py) | 77.86 | 81.22 '
        '| 11.228 → 11.228 | 2.369 → 2.369 |'
    )
