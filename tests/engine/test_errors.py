import logging
import re
import tempfile
from collections import OrderedDict
from pathlib import Path
from shutil import rmtree
from urllib.error import URLError

import pytest
from mmengine.logging import MMLogger
from torch.utils.data import DataLoader, Dataset

from mlfm_mm.datasets import FolderError
from mlfm_mm.engine import UsageError, errors
from mlfm_mm.engine.errors import one_sentence, sentence
from mlfm_mm.engine.launchers import LAUNCHERS, Launcher


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of temporary files, and loggers that nobody else has made."""
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    monkeypatch.setattr(MMLogger, '_instance_dict', OrderedDict())
    return tmp_path


def test_no_traceback(temporary: Path) -> None:
    with pytest.raises(SystemExit) as caught, one_sentence('x.py'):
        raise FileNotFoundError(2, 'No such file', 'data')
    told = str(caught.value)
    assert '\n' not in told
    start = "x.py: FileNotFoundError: [Errno 2] No such file: 'data'"
    assert told.startswith(start)
    (file,) = re.findall(r'\(traceback: (.+)\)', told)
    assert 'in test_no_traceback' in Path(file).read_text()


class Broken(Dataset):
    """Its images cannot be read."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> None:
        raise FolderError('a.png cannot be decoded')


@pytest.mark.parametrize('workers', [0, 1])
def test_what_is_wrong_with_data_needs_no_traceback(workers: int) -> None:
    with pytest.raises(SystemExit) as caught, one_sentence('x.py'):
        list(DataLoader(Broken(), num_workers=workers))
    assert str(caught.value) == 'x.py: a.png cannot be decoded'


def test_the_traceback_is_in_the_log(temporary: Path) -> None:
    log = temporary / 'run.log'
    logger = MMLogger.get_instance('run', log_file=str(log))
    with pytest.raises(SystemExit, match=r'run\.log'), one_sentence('x.py'):
        raise RuntimeError('broken')
    assert 'in test_the_traceback' in log.read_text()
    logging.Logger.manager.loggerDict.pop('run', None)
    for handler in logger.handlers:
        handler.close()


def test_the_folder_of_the_log_is_gone(temporary: Path) -> None:
    folder = temporary / 'work_dir'
    folder.mkdir()
    MMLogger.get_instance('gone', log_file=str(folder / 'run.log'))
    rmtree(folder)
    with pytest.raises(SystemExit, match='mlfm_mm-'), one_sentence('x.py'):
        raise RuntimeError('broken')


@pytest.mark.parametrize('wrapped', [False, True])
def test_an_interrupt(
    wrapped: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught, one_sentence('x.py', 'go on'):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            # As a library does that catches everything.
            if wrapped:
                raise SyntaxError('a config of many lines') from error
            raise
    # What a shell takes for the end by Ctrl-C.
    assert caught.value.code == 130
    assert capsys.readouterr().err == 'x.py: interrupted; go on\n'


def test_what_is_no_error_passes() -> None:
    with pytest.raises(SystemExit, match='2'), one_sentence('x.py'):
        raise SystemExit(2)


def test_where_a_class_was_built_is_left_out() -> None:
    text = 'class `A` in m/a.py: class `B` in m/b.py: wrong option'
    assert sentence(ValueError(text)) == 'ValueError: wrong option'


@pytest.mark.parametrize('launcher', LAUNCHERS.values(), ids=[*LAUNCHERS])
def test_processes_say_it_once(
    launcher: Launcher, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(launcher.count, '2')

    def leave(message: str, rank: str = '0') -> object:
        monkeypatch.setenv(launcher.ranks[0], rank)
        with pytest.raises(SystemExit) as caught, one_sentence('x.py'):
            raise UsageError(message)
        return caught.value.code

    # Both processes have one parent.
    assert [leave('same'), leave('same', '1')] == ['x.py: same', 1]
    assert leave('other') == 'x.py: other'
    # A later run of the same launcher.
    monkeypatch.setattr(errors, 'TOGETHER', -1.0)
    assert leave('same', '1') == 'x.py: same'


@pytest.mark.parametrize(
    'text',
    [
        '[gloo/transport/tcp/pair.cc:547] Connection closed by peer [::1]:22',
        'ncclRemoteError: remote process exited or there was a network error',
    ],
)
def test_what_follows_from_the_end_of_another_process(
    text: str, temporary: Path
) -> None:
    """The one that fails first says why; the others do not hide it."""
    with pytest.raises(SystemExit) as caught, one_sentence('x.py'):
        raise RuntimeError(text)
    told = str(caught.value)
    assert told.startswith('x.py: stopped, since another process has ended')
    (file,) = re.findall(r'\(traceback: (.+)\)', told)
    assert text in Path(file).read_text()


def test_a_checkpoint_that_cannot_be_reached() -> None:
    error = URLError('Connection refused')
    assert errors.explain(error) == '<urlopen error Connection refused>'
    missing = FileNotFoundError('file:///net.pth can not be found.')
    assert errors.explain(missing) == str(missing)
    assert errors.sentence(KeyError()) == 'KeyError'


def test_a_process_started_again_says_it_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    monkeypatch.setenv('WORLD_SIZE', '2')
    said = []
    for rank in '010':
        monkeypatch.setenv('RANK', rank)
        said.append(not errors.said_by_another('a mistake'))
    assert said == [True, False, True]
