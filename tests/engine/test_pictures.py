from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.structures import BaseDataElement
from mmengine.visualization import LocalVisBackend, Visualizer
from PIL import Image

from mlfm_mm.engine import build_runner, pictures
from mlfm_mm.engine.hosts import HOSTS
from mlfm_mm.engine.pictures import (
    PictureBackend,
    PictureNamesHook,
    UniqueNames,
    draw_predictions,
)
from tests.engine.test_testing import prepare
from tests.tools.helpers import write_digits_config, write_segments_config


def test_files_are_named_once(tmp_path: Path) -> None:
    backend = PictureBackend(str(tmp_path / 'shown'))
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    # As mmseg's hook, as mmpretrain's, and once more of another folder.
    for name in ('test_street.jpg', 'street.png', '7'):
        backend.add_image(name, red, step=3)
    found = sorted(path.name for path in (tmp_path / 'shown').iterdir())
    assert found == ['7.png', 'street.png', 'street_2.png']
    with Image.open(tmp_path / 'shown' / '7.png') as picture:
        assert picture.getpixel((0, 0)) == (255, 0, 0)


def test_hooks_that_name_no_image(tmp_path: Path) -> None:
    """As those of mmdet and mmpose; the folders hold like names."""
    kind = f'{PictureBackend.__module__}.{PictureBackend.__name__}'
    visualizer = Visualizer(
        vis_backends=[dict(type=kind, save_dir=str(tmp_path))]
    )
    runner = SimpleNamespace(visualizer=visualizer)
    black = np.zeros((4, 4, 3), np.uint8)
    for folder in ('a', 'b'):
        paths = [f'{folder}/{name}.jpg' for name in ('street', 'house')]
        seen = [BaseDataElement(metainfo=dict(img_path=p)) for p in paths]
        PictureNamesHook().after_test_iter(runner, 0, None, seen)
        for step in range(2):
            visualizer.add_image('test_img', black, step)
    found = sorted(path.stem for path in tmp_path.iterdir())
    assert found == ['house', 'house_2', 'street', 'street_2']


def test_a_numbered_name_may_be_taken() -> None:
    names = UniqueNames()
    given = ('a', 'a', 'a_2', 'a', 'b')
    assert [names.take(name) for name in given] == [
        *('a', 'a_2', 'a_2_2', 'a_3', 'b')
    ]
    names = UniqueNames()
    given = ('a_2', 'a', 'a')
    assert [names.take(name) for name in given] == ['a_2', 'a', 'a_3']


def test_classifier(tmp_path: Path) -> None:
    cfg = prepare(write_digits_config(tmp_path), show_dir='shown')
    hook = cfg.default_hooks.visualization
    assert hook.type == 'VisualizationHook'
    assert hook.enable and hook.interval == 1 and not hook.show
    (backend,) = cfg.visualizer.vis_backends
    assert backend.save_dir == 'shown'


def test_segmentor(tmp_path: Path) -> None:
    cfg = prepare(write_segments_config(tmp_path), show_dir='shown')
    assert cfg.default_hooks.visualization.draw
    assert cfg.visualizer.vis_backends[0].save_dir == 'shown'


@pytest.mark.parametrize('processes', [1, 2])
def test_only_the_first_process_draws(
    processes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(pictures, 'print_log', lambda s, **_: told.append(s))
    monkeypatch.setenv('WORLD_SIZE', str(processes))
    for rank in ('RANK', 'LOCAL_RANK'):
        monkeypatch.setenv(rank, '0')
    config = write_segments_config(tmp_path)
    prepare(config, show_dir='shown', launcher='pytorch')
    assert len(told) == processes - 1
    assert all('only the first one draws' in text for text in told)


def test_a_second_folder_of_one_process(tmp_path: Path) -> None:
    for name in ('first', 'second'):
        cfg = prepare(
            write_digits_config(tmp_path),
            show_dir=str(tmp_path / name),
            cfg_options={'visualizer.name': 'of_the_config'},
            allow_partial=True,
        )
        cfg.experiment_name = name
        build_runner(cfg).test()
        assert [*(tmp_path / name).iterdir()]


def test_drawing_without_hook(tmp_path: Path) -> None:
    """A config that never drew gets the hook it needs."""
    config = write_segments_config(tmp_path)
    hook = "    visualization=dict(type='SegVisualizationHook'),\n"
    config.write_text(config.read_text().replace(hook, ''))
    added = prepare(config, show=True).default_hooks.visualization
    assert added.type == 'SegVisualizationHook' and added.show


def test_drawing_where_the_hook_was_removed() -> None:
    cfg = Config(dict(default_hooks=dict(visualization=None)))
    draw_predictions(cfg, HOSTS['mmpretrain'], True, None)
    hook = cfg.default_hooks.visualization
    assert hook.type == 'VisualizationHook' and hook.enable and hook.show


@pytest.mark.parametrize(
    'kind', ['LocalVisBackend', 'mmengine.LocalVisBackend', LocalVisBackend]
)
def test_other_backends_stay(kind: object) -> None:
    backends = [dict(type=kind), dict(type='TensorboardVisBackend')]
    cfg = Config(dict(visualizer=dict(vis_backends=backends)))
    draw_predictions(cfg, HOSTS['mmpretrain'], False, 'shown')
    kept, ours = cfg.visualizer.vis_backends
    assert kept.type == 'TensorboardVisBackend' and 'Picture' in ours.type
