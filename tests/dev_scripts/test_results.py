"""Tables of the pages that the tools wrote into docs/results."""

import json
from pathlib import Path

from results import generate


def test_tables_are_taken_as_they_are(tmp_path: Path) -> None:
    for name, stem in (('quickstart', 'results'), ('camvid', 'classes')):
        folder = tmp_path / 'docs' / 'results' / name
        folder.mkdir(parents=True)
        (folder / f'{stem}.md').write_text(f'| {name} |\n\nCaption.\n')
    folder = tmp_path / 'docs' / 'results' / 'analysis'
    folder.mkdir()
    for pair, low in (('published', 0.25), ('tiny20', 0.5)):
        rows = [dict(stage='conv1', low=low), dict(stage='conv1', low=0.75)]
        text = json.dumps(dict(rows=rows))
        (folder / f'spectrum_{pair}.json').write_text(text)
    scores = {'plain': [{'clean': 60.0, 'blur 1': 50.0}]}
    folder = tmp_path / 'docs' / 'results' / 'evidence'
    folder.mkdir()
    (folder / 'tiny20_again_robustness.json').write_text(json.dumps(scores))
    places = generate(tmp_path)
    spectrum = places['docs/analysis.md#spectrum']
    assert '| conv1 | 25% | 75% | 50% | 75% |' in spectrum
    assert '| blur | 55.0 |' in places['docs/analysis.md#areas']
    assert (
        places['docs/quickstart.md#quickstart'] == '| quickstart |\n\nCaption.'
    )
    assert places['docs/segmentation.md#camvid'].startswith('| camvid |')
