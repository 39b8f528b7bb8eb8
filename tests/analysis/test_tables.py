import csv
import io
import json
from pathlib import Path

from rich.console import Console

from mlfm_mm.analysis.tables import Column, Table, markdown_table, si


def test_four_forms_say_the_same(tmp_path: Path) -> None:
    columns = [
        Column('name', 'network'),
        Column('macs', 'MACs', si),
        Column('top1', 'top-1', '{:.2f} ± {:g}'.format, ('deviation',)),
    ]
    rows = [
        dict(name='plain', macs=20_000_000, top1=80.5, deviation=2),
        dict(name='mlfm', macs=21_000_000, top1=91.25, deviation=1),
    ]
    table = Table(columns, rows, 'Caption.')
    table.save(tmp_path, 'results', seed=3)
    content = json.loads((tmp_path / 'results.json').read_text())
    assert content['caption'] == 'Caption.' and content['seed'] == 3
    assert content['rows'] == rows
    with open(tmp_path / 'results.csv', newline='') as file:
        assert [row['top1'] for row in csv.DictReader(file)] == [
            *('80.5', '91.25'),
        ]
    lines = (tmp_path / 'results.md').read_text().splitlines()
    assert lines[2] == '| plain | 20.0 M | 80.50 ± 2 |'
    assert lines[-1] == 'Caption.'
    assert {line.count('|') for line in lines[:4]} == {4}
    assert [c.header for c in table.rich().columns] == [
        *('network', 'MACs', 'top-1'),
    ]


def test_what_stands_for_none() -> None:
    columns = [
        Column('name', 'network'),
        Column('macs', 'MACs', si),
        Column('top1', 'top-1', '{:.2f}'.format, absent=''),
    ]
    row = dict(name='plain', macs=None, top1=None)
    assert Table(columns, [row], '').cells() == [['plain', '-', '']]


def test_alignment() -> None:
    text = markdown_table(['a', 'b', 'c'], [[1, 2, 3]], 'lrl')
    assert text == '| a | b | c |\n|---|---:|---|\n| 1 | 2 | 3 |'


def test_si() -> None:
    numbers = (0, 999, 1000, 123_456, 2.5e9)
    assert [si(n) for n in numbers] == [
        '0', '999', '1.00 k', '123 k', '2.50 G',
    ]  # fmt: skip


def test_a_cell_is_printed_as_it_is() -> None:
    row = dict(name='cat[old] [/x].jpg')
    table = Table([Column('name', 'picture')], [row], '')
    console = Console(file=io.StringIO(), width=60)
    console.print(table.rich())
    assert 'cat[old] [/x].jpg' in console.file.getvalue()


def test_a_caption_is_no_markup() -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(Table([Column('a', 'a')], [], 'pets [old]: 2').rich())
    assert '[old]' in console.file.getvalue()
