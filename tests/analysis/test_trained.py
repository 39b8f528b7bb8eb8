import shutil
from pathlib import Path

import pytest
from mmengine.logging import MMLogger

from mlfm_mm import openmmlab
from mlfm_mm.analysis.trained import (
    Source,
    find_seed,
    find_source,
    find_sources,
    load_trained,
)
from mlfm_mm.engine import UsageError
from tests.analysis.networks import classifier


def write_run(folder: Path, neck: str = '') -> None:
    (folder / 'time' / 'vis_data').mkdir(parents=True)
    (folder / 'time' / 'vis_data' / 'scalars.json').write_text('')
    (folder / 'net.py').write_text(f'model = dict({neck})')
    (folder / 'last.pth').touch()
    (folder / 'last_checkpoint').write_text('/moved/last.pth')


def test_what_is_shipped_in_a_folder_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / 'my-mlfm'
    shutil.copytree(
        openmmlab.shipped_files() / 'configs/evidence',
        root / 'configs/evidence',
    )
    monkeypatch.setattr(openmmlab, 'shipped_files', lambda: root)
    plain, memory = find_sources([])
    assert plain.name == 'plain' and memory.name == 'MLFM'
    for file in (plain.config, plain.checkpoint):
        assert Path(file).is_file() and '-mlfm' not in Path(file).name
    for file in (memory.config, memory.checkpoint):
        assert Path(file).is_file() and '-mlfm' in Path(file).name


def test_a_folder_of_runs_as_the_quickstart_leaves_it(tmp_path: Path) -> None:
    write_run(tmp_path / 'baseline')
    write_run(tmp_path / 'mlfm', "neck=dict(type='mlfm_mm.MLFMNeck')")
    sources = find_sources([str(tmp_path)])
    assert [source.name for source in sources] == ['baseline', 'mlfm']
    assert sources[1].checkpoint == str(tmp_path / 'mlfm' / 'last.pth')
    assert find_source([str(tmp_path)]).name == 'mlfm'


def test_runs_of_several_seeds_share_a_name(tmp_path: Path) -> None:
    for name in ('plain_s0', 'plain_s1', 'mlfm_s0'):
        write_run(tmp_path / name)
    names = [s.name for s in find_sources([str(tmp_path)])]
    assert names == ['mlfm', 'plain', 'plain']
    (only,) = find_sources([f'mine={tmp_path}/plain_s0'])
    assert only.name == 'mine'


def test_seeds_of_a_name_are_of_one_network(tmp_path: Path) -> None:
    write_run(tmp_path / 'before' / 'net')
    write_run(tmp_path / 'after' / 'net', "neck=dict(type='MLFMNeck')")
    with pytest.raises(UsageError, match=r'net: model\.neck\.type is .*NAME='):
        find_sources([str(tmp_path)])
    # Where one network is asked for, their names do not matter.
    assert find_source([str(tmp_path)]).config.endswith('after/net/net.py')
    words = [str(tmp_path / 'before'), str(tmp_path / 'before' / 'net')]
    with pytest.raises(UsageError, match='net: a run is given twice'):
        find_sources(words)
    config, weights = (words[1] + end for end in ('/net.py', '/last.pth'))
    (tmp_path / 'link.pth').symlink_to(weights)
    with pytest.raises(UsageError, match='net: a run is given twice'):
        find_sources([config, weights, str(tmp_path / 'link.pth')])
    words[0] = 'mine=' + words[0]
    assert [s.name for s in find_sources(words)] == ['mine', 'net']


def test_the_seed_of_a_checkpoint(tmp_path: Path) -> None:
    write_run(tmp_path / 'a')
    weights = str(tmp_path / 'a' / 'last.pth')
    assert find_seed(weights) is None
    (tmp_path / 'a' / 'net.py').write_text('randomness = dict(seed=7)')
    assert find_seed(weights) == 7
    write_run(tmp_path / 'b')
    (tmp_path / 'b' / 'net.py').write_text('randomness = dict(seed=7)')
    # The same seed twice: a GPU need not repeat a run.
    assert len(find_sources([f'x={tmp_path}'])) == 2
    # A program that lies beside a checkpoint is not run.
    (tmp_path / 'setup.py').write_text('1 / 0')
    assert find_seed(str(tmp_path / 'x.pth')) is None


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['net.py'], 'net.py needs its weights'),
        (['net.py', 'other.py', 'x.pth'], 'net.py needs its weights'),
        (['s0=net.py', 'x.pth', 's1=net.py'], 'net.py needs its weights'),
        (['nowhere'], "'nowhere' is no folder"),
    ],
)
def test_what_is_no_network(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find_sources(words)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='holds no run'):
        find_sources([str(tmp_path)])


def test_weights_of_another_network(tmp_path: Path) -> None:
    network = classifier(tmp_path)
    source = Source('x', network.cfg.filename, find_source([]).checkpoint)
    with pytest.raises(UsageError, match='Give the config of that network'):
        load_trained(source)
    # As its message says.
    assert load_trained(source, allow_partial=True).name == 'x'


def test_memory_is_added_where_it_is_asked_for(tmp_path: Path) -> None:
    weights = Path(classifier(tmp_path).cfg.filename).with_suffix('.pth')
    plain = classifier(tmp_path, 'baseline').cfg.filename
    source = Source('x', plain, str(weights))
    network = load_trained(source, memory=True)
    assert type(network.model.neck).__name__ == 'MLFMNeck'


def test_nothing_is_told_while_building(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logger = MMLogger.get_current_instance()
    level = logger.level
    load_trained(find_source([]))
    printed = capsys.readouterr()
    assert logger.level == level
    assert 'MLFMNeck serves' not in printed.out + printed.err
