import pytest

from mlfm_mm.engine.launchers import LAUNCHERS, Launcher, ranks_told


@pytest.mark.parametrize('launcher', LAUNCHERS.values(), ids=[*LAUNCHERS])
def test_the_rank_of_one_process_of_several(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(launcher.ranks[0], '3')
    assert ranks_told() == []
    monkeypatch.setenv(launcher.count, '4')
    assert ranks_told() == ['3']
