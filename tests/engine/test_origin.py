from pathlib import Path

import pytest

from mlfm_mm.engine.origin import origin


@pytest.mark.parametrize(
    ('meta', 'told'),
    [
        (None, 'a network that they do not name'),
        (dict(cfg='(no config'), 'a network that they do not name'),
        (dict(experiment_name='a_20260101_120000'), 'a'),
        (
            dict(cfg="model = dict(type='A', neck=dict(type='B', k=[1]))"),
            '(A, neck=B())',
        ),
    ],
)
def test_origin(meta: dict | None, told: str) -> None:
    assert origin(dict(meta=meta)) == told


def test_a_config_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / 'been_here'
    text = f'import os\nmodel = dict(type=os.mkdir({str(mark)!r}))'
    origin(dict(meta=dict(cfg=text)))
    assert not mark.exists()
