import dataclasses
from pathlib import Path

from benchmarks.figures import Report, tables
from tests.benchmarks.tiny import figures, report


def test_a_report_survives_a_file(tmp_path: Path) -> None:
    written = report()
    path = tmp_path / 'new/report.json'
    written.save(path)
    assert Report.read(path) == written
    # A figure on a line, so that changes can be read.
    assert path.read_text().count('\n') > len(written.figures)
    Report('x', written.machine).save(path)
    assert Report.read(path).figures == []


def test_quantities_below_each_other_networks_beside() -> None:
    (table,) = tables(report().figures)
    lines = table.markdown().splitlines()
    assert lines[0] == '| tiny | baseline | + MLFM | + with_cp=True |'
    assert lines[2] == '| inference | 1e+03 ms | x1.20 ±2.0 % |  |'
    assert lines[3].endswith('| x1.05 ±8.0 % ? |  |')
    assert lines[4].endswith('| x1.30 ±2.0 % | x1.40 ±2.0 % |')
    assert lines[-1] == 'batch 2, 32x32, fp32, contiguous, eager, cpu.'


def test_a_sweep_has_a_row_for_each_point() -> None:
    found = [
        dataclasses.replace(
            figure,
            point=f'batch {batch}',
            setting=figure.setting.replace('batch 2', f'batch {batch}'),
        )
        for batch in (1, 2)
        for quantity in ('infer', 'train')
        for figure in figures(quantity, 1.0 + batch)
    ]
    (table,) = tables(found)
    lines = table.markdown().splitlines()
    assert lines[0] == '| tiny | inference | + MLFM | training step | + MLFM |'
    assert lines[3] == '| batch 2 | 1e+03 ms | x3.00 | 1e+03 ms | x3.00 |'
    # What all points have in common.
    assert lines[-1] == '32x32, fp32, contiguous, eager, cpu.'


def test_a_sweep_of_many_quantities_has_a_table_for_each_point() -> None:
    found = [
        dataclasses.replace(figure, point=f'batch {batch}')
        for batch in (1, 2)
        for quantity in ('infer', 'train', 'saved')
        for figure in figures(quantity, 1.0 + batch)
    ]
    first, second = tables(found)
    assert first.caption.startswith('batch 1, ') and len(second.rows) == 3


def test_the_end_says_where() -> None:
    found = report()
    found.machine['load'] = 99.0
    note, warning, place = found.ending()
    assert note == 'a note' and place.endswith('`python x`')
    assert 'was busy' in warning
    # What is counted is no better on a quiet machine.
    found.figures = figures('launches_infer', 2.0)
    assert found.ending() == [note, place]
