import logging
import re
import tempfile
from pathlib import Path

import pytest
from mmengine.logging import MMLogger

from mlfm_mm.engine import UsageError, errors
from mlfm_mm.engine.errors import one_sentence, sentence


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of temporary files, which nobody else fills."""
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
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


def test_the_traceback_is_in_the_log(temporary: Path) -> None:
    log = temporary / 'run.log'
    MMLogger('errors', logger_name='errors', log_file=str(log))
    logger = MMLogger.get_instance(
        'test_the_traceback', log_file=str(log), file_mode='a'
    )
    with pytest.raises(SystemExit, match=r'run.*\.log'), one_sentence('x.py'):
        raise RuntimeError('broken')
    assert 'in test_the_traceback' in log.read_text()
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.close()


def test_what_is_no_error_passes() -> None:
    with pytest.raises(KeyboardInterrupt), one_sentence('x.py'):
        raise KeyboardInterrupt
    with pytest.raises(SystemExit, match='2'), one_sentence('x.py'):
        raise SystemExit(2)


def test_where_a_class_was_built_is_left_out() -> None:
    text = 'class `A` in m/a.py: class `B` in m/b.py: wrong option'
    assert sentence(ValueError(text)) == 'ValueError: wrong option'


def test_processes_say_it_once(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('WORLD_SIZE', '2')

    def leave(message: str) -> object:
        with pytest.raises(SystemExit) as caught, one_sentence('x.py'):
            raise UsageError(message)
        return caught.value.code

    # Both processes have one parent.
    assert [leave('same'), leave('same')] == ['x.py: same', 1]
    assert leave('other') == 'x.py: other'
    # A later run of the same launcher.
    monkeypatch.setattr(errors, 'TOGETHER', -1.0)
    assert leave('same') == 'x.py: same'
