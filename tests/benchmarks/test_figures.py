from pathlib import Path

import pandas as pd

from benchmarks.figures import Report, sentence, tables
from mlfm_mm.analysis.machine import describe_machine
from mlfm_mm.analysis.tables import markdown_table
from tests.benchmarks.tiny import figures, report


def markdown(table: pd.DataFrame) -> list[str]:
    return markdown_table(table.columns, table.to_numpy()).splitlines()


def test_a_report_survives_a_file(tmp_path: Path) -> None:
    written = report()
    path = tmp_path / 'new/report.json'
    written.save(path)
    read = Report.read(path)
    assert (read.command, read.machine) == (written.command, written.machine)
    pd.testing.assert_frame_equal(
        read.figures, written.figures.reset_index(drop=True)
    )
    # A figure on a line, so that changes can be read.
    assert path.read_text().count('\n') > len(written.figures)
    Report('x', written.machine).save(path)
    assert Report.read(path).figures.empty


def test_quantities_below_each_other_networks_beside() -> None:
    ((table, caption),) = tables(report().figures)
    lines = markdown(table)
    assert lines[0] == '| tiny | baseline | + MLFM | + with_cp=True |'
    assert lines[2] == '| inference | 1e+03 ms | x1.20 ±2.0 % |  |'
    assert lines[3].endswith('| x1.05 ±8.0 % ? |  |')
    assert lines[4].endswith('| x1.30 ±2.0 % | x1.40 ±2.0 % |')
    assert caption == 'batch 2, 32x32, fp32, contiguous, eager, cpu.'


def test_networks_without_a_baseline() -> None:
    found = report().figures.replace('baseline', 'other')
    ((table, _),) = tables(found)
    assert [*table.columns] == ['tiny', 'other', 'MLFM', 'with_cp=True']


def sweep(*quantities: str) -> pd.DataFrame:
    found = []
    for batch in (1, 2):
        for quantity in quantities:
            rows = figures(quantity, 1.0 + batch)
            setting = rows['setting'].str.replace('batch 2', f'batch {batch}')
            rows = rows.assign(point=f'batch {batch}', setting=setting)
            found.append(rows)
    return pd.concat(found)


def test_a_sweep_has_a_row_for_each_point() -> None:
    ((table, caption),) = tables(sweep('infer', 'train'))
    lines = markdown(table)
    assert lines[0] == '| tiny | inference | + MLFM | training step | + MLFM |'
    assert lines[3] == '| batch 2 | 1e+03 ms | x3.00 | 1e+03 ms | x3.00 |'
    # What all points have in common.
    assert caption == '32x32, fp32, contiguous, eager, cpu.'


def test_a_sweep_of_many_quantities_has_a_table_for_each_point() -> None:
    first, second = tables(sweep('infer', 'train', 'saved'))
    assert first[1].startswith('batch 1, ') and len(second[0]) == 3


def test_a_sentence_names_the_versions() -> None:
    machine = describe_machine('cpu')
    assert f'torch {machine["versions"]["torch"]}' in sentence(machine)


def test_the_end_says_where() -> None:
    found = report()
    found.machine['load'] = 99.0
    warning, place = found.ending()
    assert place.endswith('`python x`')
    assert 'was busy' in warning
    # What is counted is no better on a quiet machine.
    found.figures = figures('launches_infer', 2.0)
    assert found.ending() == [place]
