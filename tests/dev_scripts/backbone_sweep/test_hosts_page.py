"""The tables of hosts, and the versions that stand beside them."""

import re
from pathlib import Path

from backbone_sweep.hosts_page import PAGE, generate
from backbone_sweep.outcomes import FILE, Outcome, write

REPO = Path(__file__).resolve().parents[3]
TOKENS = "ValueError: ViT passes tokens (N, L, C) from 'x' on, and so forth"
CLIPS = 'ValueError: serves images: TCN takes clips or sequences, since'
ROWS = [
    Outcome('mmseg', 'ResNet', 'z', 'held'),
    Outcome('mmdet', 'mmdet.ResNet in RetinaNet', 'a', 'held'),
    Outcome('mmdet', 'ResNet in FCOS', 'b', 'held'),
    Outcome('mmdet', 'ResNet in FCOS', 'c', 'held'),
    Outcome('mmpose', 'ViT in Top', 'd', 'refused', TOKENS),
    Outcome('mmpose', 'TCN in PoseLifter', 'e', 'refused', CLIPS),
    Outcome('mmpose', 'Odd in Top', 'f', 'failed', 'ValueError: a | b'),
    Outcome('mmpose', 'Gone in Top', 'g', 'not run', 'ImportError: x'),
]


def test_tables(tmp_path: Path) -> None:
    (tmp_path / FILE).parent.mkdir(parents=True)
    write(tmp_path / FILE, ROWS)
    blocks = generate(tmp_path)
    assert blocks[f'{PAGE}#sweep'].splitlines()[2:] == [
        '| mmdet | 3 | 3 | 0 | 0 | 0 | 0 |',
        '| mmpose | 4 | 0 | 1 | 1 | 1 | 1 |',
    ]
    assert blocks[f'{PAGE}#held'].splitlines()[2:] == [
        '| mmdet | ResNet | FCOS, RetinaNet |'
    ]
    assert blocks[f'{PAGE}#refused'].splitlines()[2:] == [
        '| mmpose | ViT | Top | d | refused: passes tokens |',
        '| mmpose | TCN | PoseLifter | e | refused: takes clips or '
        'sequences |',
        r'| mmpose | Odd | Top | f | failed: ValueError: a \| b |',
        '| mmpose | Gone | Top | g | does not run: ImportError: x |',
    ]


def test_the_versions_are_those_that_are_tried() -> None:
    pins = '\n'.join(
        (REPO / 'requirements' / f'{part}.txt').read_text()
        for part in (
            'onedl',
            'hosts',
            'hosts-openmmlab',
            'hosts-alone',
        )
    )
    page = (REPO / PAGE).read_text()
    table = page[page.index('| host | dist') :].split('\n\n')[0]
    named = re.findall(r'([a-z][\w-]+) (\d+[\d.]+\d)', table)
    assert len(named) > 12
    for package, version in named:
        assert f'{package}=={version}' in pins, package
