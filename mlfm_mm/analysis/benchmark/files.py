"""A benchmark as files: JSON, Markdown, CSV and a picture."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from .chart import draw_bars
from .layout import markdown
from .measure import Row
from .report import Report
from .scaling import draw_sweep


def save(report: Report, folder: Path, stem: str) -> list[Path]:
    """Write a report as JSON, Markdown, CSV and a picture.

    Args:
        report (Report): The report.
        folder (Path): Where to write; made if it is not there.
        stem (str): The name of the files without their endings.

    Returns:
        list[Path]: The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f'{stem}.{end}' for end in ('json', 'md', 'csv', 'png')]
    text = json.dumps(report.as_dict(), indent=1) + '\n'
    paths[0].write_text(text, encoding='utf-8')
    paths[1].write_text(markdown(report), encoding='utf-8')
    write_csv(report.rows, paths[2])
    (draw_sweep if report.axis else draw_bars)(report, paths[3])
    return paths


def write_csv(rows: list[Row], path: Path) -> None:
    """Write rows as CSV, the samples of the time left out.

    Args:
        rows (list[Row]): The rows.
        path (Path): The file to write.
    """
    table = [flatten(row.as_dict()) for row in rows]
    with open(path, 'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator='\n')
        writer.writeheader()
        writer.writerows(table)


def flatten(content: dict[str, Any]) -> dict[str, Any]:
    """Make one level of a row's values.

    Example:
        >>> ratio = dict(value=1.2, noise=0.1)
        >>> flatten(dict(arm='net', seconds=[1, 2], ratio=ratio))
        {'arm': 'net', 'ratio': 1.2, 'ratio_noise': 0.1}
    """
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if key in ('ratio', 'ratio_folded'):
            flat[key] = None if value is None else value['value']
            flat[f'{key}_noise'] = None if value is None else value['noise']
        elif key == 'setting':
            height, width = value['size']
            flat |= {**value, 'size': f'{height}x{width}'}
            # The row's own says whether this network was folded.
            del flat['folded']
        elif key != 'seconds':
            flat[key] = value
    return flat
