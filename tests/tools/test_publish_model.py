from pathlib import Path

import pytest
import torch
from mmengine.config import Config

pytest.importorskip('mmpretrain')

from mlfm_mm.engine.models import build_model
from tests.tools.helpers import Harmful, run_tool, write_digits_config

TOOL = 'model_converters/publish_model.py'


def test_weights_and_classes_stay(tmp_path: Path) -> None:
    model = build_model(Config.fromfile(write_digits_config(tmp_path)))
    state = {k: v.clone() for k, v in model.state_dict().items()}
    meta = dict(dataset_meta=dict(classes=('n1', 'n2')), cfg='secret', epoch=3)
    full = dict(state_dict=state, meta=meta, optimizer=dict(lr=1))
    torch.save(full, tmp_path / 'full.pth')
    (tmp_path / 'names.json').write_text('{"n1": "goldfish"}')
    options = ['--class-names', 'names.json']
    run_tool(TOOL, 'full.pth', 'a/half.pth', *options, cwd=tmp_path)
    half = torch.load(tmp_path / 'a' / 'half.pth')
    assert half.keys() == {'state_dict', 'meta'}
    assert half['meta'] == dict(
        dataset_meta=dict(classes=['goldfish', 'n2']), epoch=3
    )
    for key, value in half['state_dict'].items():
        assert value.dtype in (torch.float16, torch.int64)
        assert torch.equal(value, state[key].to(value.dtype))
    model.load_state_dict(half['state_dict'])
    run_tool(TOOL, 'full.pth', 'same.pth', '--full', cwd=tmp_path)
    same = torch.load(tmp_path / 'same.pth')['state_dict']
    assert all(torch.equal(same[key], state[key]) for key in state)


def test_options_that_no_weight_tells_stay_known(tmp_path: Path) -> None:
    cfg = Config.fromfile(write_digits_config(tmp_path, 'mlfm'))
    state = build_model(cfg).state_dict()
    torch.save(dict(state_dict=state), tmp_path / 'full.pth')
    run_tool(TOOL, 'full.pth', 'half.pth', cwd=tmp_path)
    cfg.model.neck.wavelet = 'db2'
    with pytest.raises(RuntimeError, match='wavelet=haar, not wavelet=db2'):
        build_model(cfg).load_state_dict(
            torch.load(tmp_path / 'half.pth')['state_dict']
        )


def test_what_half_precision_cannot_hold_stays(tmp_path: Path) -> None:
    state = dict(
        var=torch.tensor([1.0, 1e6]),
        weight=torch.ones(2),
        # It was infinite before.
        lost=torch.tensor([float('inf')]),
    )
    torch.save(dict(state_dict=state), tmp_path / 'full.pth')
    printed = run_tool(TOOL, 'full.pth', 'half.pth', cwd=tmp_path)
    assert 'as half would make them infinite: var\n' in printed
    half = torch.load(tmp_path / 'half.pth')['state_dict']
    assert half['var'].dtype == torch.float32
    assert torch.equal(half['var'], state['var'])
    assert half['weight'].dtype == half['lost'].dtype == torch.float16
    printed = run_tool(TOOL, 'full.pth', 'same.pth', '--full', cwd=tmp_path)
    assert 'infinite' not in printed
    # Nothing but what was asked for is left behind.
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == ['full.pth', 'half.pth', 'same.pth']


def test_mistakes_get_one_line(tmp_path: Path) -> None:
    torch.save(dict(state_dict={}), tmp_path / 'full.pth')
    torch.save(dict(weight=torch.ones(1)), tmp_path / 'bare.pth')
    (tmp_path / 'file').write_text('')
    (tmp_path / 'five.json').write_text('{"cat": 5}')
    (tmp_path / 'folder').mkdir()
    for words, message in (
        (['full.pth', 'file/x.pth'], 'file is a file: give a folder'),
        (['full.pth', './full.pth'], 'full.pth is what is read: give'),
        (['full.pth', 'folder'], 'folder is a folder: give the file to write'),
        (['bare.pth', 'x.pth'], 'it has no state_dict'),
        (
            ['full.pth', 'x.pth', '--class-names', 'no.json'],
            '--class-names no.json: [Errno 2] No such file',
        ),
        (
            ['full.pth', 'x.pth', '--class-names', 'five.json'],
            '--class-names five.json: it must be {"folder": "words", ...}',
        ),
        (
            ['full.pth', 'x.pth', '--class-names', 'file'],
            '--class-names file: Expecting value',
        ),
    ):
        printed = run_tool(TOOL, *words, cwd=tmp_path, fails=True)
        assert printed.startswith('publish_model.py: '), printed
        assert message in printed and 'Traceback' not in printed


def test_code_is_run_for_who_trusts_it(tmp_path: Path) -> None:
    torch.save(dict(state_dict={}, meta={}, x=Harmful()), tmp_path / 'x.pth')
    printed = run_tool(TOOL, 'x.pth', 'y.pth', cwd=tmp_path, fails=True)
    assert 'reading it would run code (posix.mkdir)' in printed
    assert not (tmp_path / 'harmed').exists()
    run_tool(TOOL, 'x.pth', 'y.pth', '--trust', cwd=tmp_path)
    assert (tmp_path / 'harmed').exists()


def test_no_checkpoint(tmp_path: Path) -> None:
    printed = run_tool(TOOL, 'no.pth', 'x.pth', cwd=tmp_path, fails=True)
    assert "there is no checkpoint 'no.pth'" in printed
