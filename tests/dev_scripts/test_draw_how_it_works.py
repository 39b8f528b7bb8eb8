"""The picture of the README is drawn when asked for, not by --help."""

from pathlib import Path

import pytest
from PIL import Image

import draw_how_it_works as script


def test_help_draws_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(script, 'TARGET', tmp_path / 'shown.png')
    monkeypatch.setattr('sys.argv', ['draw.py', '--help'])
    with pytest.raises(SystemExit):
        script.main()
    assert '--out FILE' in capsys.readouterr().out
    assert not (tmp_path / 'shown.png').exists()


def test_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / 'other.png'
    monkeypatch.setattr('sys.argv', ['draw.py', '--out', str(out)])
    script.main()
    with Image.open(out) as picture:
        assert picture.width > 1000
