"""Tables of the pages that the tools wrote into docs/results."""

from pathlib import Path

from results import generate


def test_tables_are_taken_as_they_are(tmp_path: Path) -> None:
    for name, stem in (('quickstart', 'results'), ('camvid', 'classes')):
        folder = tmp_path / 'docs' / 'results' / name
        folder.mkdir(parents=True)
        (folder / f'{stem}.md').write_text(f'| {name} |\n\nCaption.\n')
    places = generate(tmp_path)
    assert (
        places['docs/quickstart.md#quickstart'] == '| quickstart |\n\nCaption.'
    )
    assert places['docs/segmentation.md#camvid'].startswith('| camvid |')
