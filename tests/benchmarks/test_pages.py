from pathlib import Path

from benchmarks.pages import generate
from benchmarks.parts import ROOT, read_parts
from tests.benchmarks.tiny import report


def test_blocks_of_results(tmp_path: Path) -> None:
    report().save(read_parts()['resnet18'].path(tmp_path))
    blocks = generate(tmp_path)
    readme = blocks['README.md#cost']
    assert (
        '| ResNet-18 | - | - | - | x1.20 | x1.30 | x1.50 | x1.20 |' in readme
    )
    assert 'CPU: 32x32, batch 2, fp32, on' in readme
    assert 'GPU: 32x32' not in readme and 'ResNet-50' not in readme
    report().save(read_parts()['gpu_resnet18'].path(tmp_path))
    readme = generate(tmp_path)['README.md#cost']
    assert '| ResNet-18 | x1.20 | x1.30 | x1.50 | x1.20 |' in readme
    assert 'GPU: 32x32, batch 2, fp32, on' in readme
    limits = blocks['docs/performance.md#limits']
    assert '| tiny: inference | x1.15 | x1.20 ±2.0 % | missed |' in limits
    assert '+ with_cp=True |' in blocks['docs/performance.md#resnet18']
    missing = blocks['docs/performance.md#resnet50']
    assert (
        missing == 'Not measured yet: `python -m benchmarks.parts resnet50`.'
    )


def test_without_results(tmp_path: Path) -> None:
    assert 'make benchmark' in generate(tmp_path)['README.md#cost']


def test_the_page_has_a_place_for_each_part() -> None:
    page = (ROOT / 'docs/performance.md').read_text('utf-8')
    for name in read_parts():
        assert page.count(f'<!-- {name}: begin -->') == 1
