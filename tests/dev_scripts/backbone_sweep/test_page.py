"""The tables of backbones."""

from pathlib import Path

from backbone_sweep.outcomes import FILE, Outcome, read, write
from backbone_sweep.page import PAGE, generate

WHY = "ValueError: ViT passes tokens (N, L, C) from 'x' on, and so forth"
ROWS = [
    Outcome('mmseg', 'ResNet', 'a', 'held', '', 'relu', '2', '10', '1.0'),
    Outcome('mmseg', 'ViT', 'b', 'refused', WHY),
    Outcome('mmseg', 'Odd', 'c', 'failed', 'ValueError: odd\nand more'),
    Outcome('mmseg', 'Odd', 'd', 'failed', 'ValueError: odd\nand more'),
    Outcome('mmseg', 'Gone', 'e', 'not run', 'ImportError: x'),
    Outcome(
        'classes of mmpretrain',
        'ResNet depth=18',
        'ResNet',
        'held',
        '',
        'relu layer1',
        '2 4',
        '12345',
        '1.9',
    ),
]


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    write(tmp_path / 'rows.csv', ROWS)
    assert read(tmp_path / 'rows.csv') == ROWS
    assert read(tmp_path / 'none.csv') == []


def test_tables(tmp_path: Path) -> None:
    (tmp_path / FILE).parent.mkdir(parents=True)
    write(tmp_path / FILE, ROWS)
    blocks = generate(tmp_path)
    assert '| mmseg | 5 | 1 | 1 | 2 | 1 |' in blocks[f'{PAGE}#sweep']
    others = blocks[f'{PAGE}#exceptions'].splitlines()
    assert others[2:] == ['| mmseg | Odd | c | ValueError: odd |']
    served = blocks[f'{PAGE}#served-mmpretrain'].splitlines()
    row = '| ResNet depth=18 | relu, layer1 | 2, 4 | 12,345 (1.9 %) |  |'
    assert served[2:] == [row]
