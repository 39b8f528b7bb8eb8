"""The install test itself takes minutes: here is what it stands on."""

import json
import sys
from pathlib import Path

import pytest

import install_test

REPO = Path(__file__).resolve().parents[2]


def test_what_mim_is_expected_to_find() -> None:
    costs = json.loads((REPO / 'configs/zoo/costs.json').read_text())
    params = costs['configs/mlfm/resnet18_in100.py']['params']
    expected = dict(install_test.STEPS)
    (found,) = (v for k, v in expected.items() if k.startswith('mim search'))
    assert found == str(params)


def test_an_environment_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / 'env'
    with install_test.environment(folder) as programs:
        assert (programs / 'python').exists() and (programs / 'pip').exists()
    assert not folder.exists()


def test_a_failed_command_shows_what_it_printed() -> None:
    code = 'print("so it was"); raise SystemExit(3)'
    with pytest.raises(SystemExit, match=r'so it was\n\nfailed with 3: .*-c'):
        install_test.call(sys.executable, '-c', code)


def test_unknown_families(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('sys.argv', ['install_test.py', 'onedll'])
    with pytest.raises(SystemExit):
        install_test.main()
    assert 'onedll: choose from onedl, openmmlab' in capsys.readouterr().err
