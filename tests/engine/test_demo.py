"""One picture through each kind of head."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from PIL import ExifTags, Image

from mlfm_mm.analysis.trained import find_source, load_trained
from mlfm_mm.engine import UsageError, find_host
from mlfm_mm.engine.demo import find_names, read_picture, show_prediction
from mlfm_mm.engine.options import load_config
from tests.analysis.networks import save_weights
from tests.hosts import needs_mmseg
from tests.tools.helpers import (
    CONFIGS,
    write_digits_config,
    write_image,
    write_segments_config,
)


def run_demo(
    image: str, config: str, weights: str, out: str, **options: object
) -> str:
    net = load_trained(find_source([config, weights]), **options)
    return show_prediction(net.model, net.cfg, net.host, net.meta, image, out)


def demo(config: Path, **options: object) -> str:
    """Show a picture of noise by a config, which gets random weights."""
    photo, out = config.parent / 'photo.png', config.parent / 'out' / 'x.png'
    write_image(photo, 0, 100)
    words = run_demo(
        str(photo), str(config), str(save_weights(config)), str(out), **options
    )
    with Image.open(out) as picture:
        assert picture.size == (40, 40)
        assert len(set(picture.tobytes())) > 10
    return words


def add(config: Path, text: str) -> Path:
    with open(config, 'a') as file:
        file.write(text)
    return config


@pytest.mark.parametrize('content', [b'', b'no picture', b'\x89PNG\r\n'])
def test_files_that_are_no_pictures(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / 'a.png'
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r'a\.png is no picture'):
        read_picture(str(file))


def test_one_label(tmp_path: Path) -> None:
    words = demo(write_digits_config(tmp_path, 'mlfm'))
    # The data set knows the names of its classes.
    name, score = words.split(': ')
    assert name in '0123456789' and 0 <= float(score) <= 1


@pytest.mark.parametrize(
    ('threshold', 'told'), [(0.0, ', '), (1.1, 'no class is sure enough')]
)
def test_several_labels_or_none(
    threshold: float, told: str, tmp_path: Path
) -> None:
    head = dict(
        _delete_=True,
        type='MultiLabelLinearClsHead',
        num_classes=10,
        in_channels=32,
        thr=threshold,
    )
    config = add(
        write_digits_config(tmp_path), f"model['head'] = dict({head!r})\n"
    )
    assert told in demo(config)


def test_several_tasks(tmp_path: Path) -> None:
    task = dict(type='LinearClsHead', num_classes=3)
    head = dict(
        _delete_=True,
        type='MultiTaskHead',
        task_heads=dict(gender=task, age=task),
        in_channels=32,
    )
    config = add(
        write_digits_config(tmp_path), f"model['head'] = dict({head!r})\n"
    )
    pack = dict(
        type='PackMultiTaskInputs',
        multi_task_fields=['gt_label'],
        task_handlers={k: dict(type='PackInputs') for k in ('gender', 'age')},
    )
    add(config, f"test_dataloader['dataset']['pipeline'] = [{pack}]\n")
    age, gender = demo(config).splitlines()
    assert gender.startswith('gender: class ')
    assert age.startswith('age: class ')


@needs_mmseg
@pytest.mark.parametrize('channels', [1, 2])
def test_masks(channels: int, tmp_path: Path) -> None:
    """Also of one channel, from a config without ``test_pipeline``."""
    config = write_segments_config(tmp_path)
    add(config, f"model['decode_head']['out_channels'] = {channels}\n")
    words = demo(config)
    assert '%' in words and ('ground' in words or 'square' in words)


def test_what_the_config_is_given(tmp_path: Path) -> None:
    """Options reach the network, whose weights do not fit then."""
    config = write_digits_config(tmp_path, 'mlfm')
    options = {'model.neck.update': 'concat'}
    with pytest.raises(UsageError, match='--allow-partial'):
        demo(config, cfg_options=options)
    assert ': ' in demo(config, cfg_options=options, allow_partial=True)


def test_other_hosts_draw_for_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('mlfm_mm.engine.hosts.find_spec', lambda name: True)
    cfg = Config(dict(default_scope='mmdet'))
    with pytest.raises(UsageError, match=r'mmdet use mmdet\.apis\.DetInf'):
        show_prediction(None, cfg, find_host(cfg), {}, 'photo.png', 'out.png')


def test_the_photo_stays(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path)
    photo = tmp_path / 'photo.png'
    write_image(photo, 0, 100)
    with pytest.raises(UsageError, match='is what is read: give another file'):
        run_demo(
            str(photo), str(config), str(save_weights(config)), str(photo)
        )


def test_text_is_no_picture(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path)
    weights = save_weights(config)
    with pytest.raises(UsageError, match='no picture that can be read'):
        run_demo(str(config), str(config), str(weights), 'x.png')


@pytest.mark.parametrize(
    ('meta', 'names'),
    [
        (dict(dataset_meta=dict(classes=('a', 'b'))), ['a', 'b']),
        (dict(CLASSES=['old']), ['old']),
        (None, ['given']),
    ],
)
def test_names(meta: dict | None, names: list[str]) -> None:
    dataset = dict(metainfo=dict(classes=['given']), pipeline=[dict()])
    cfg = Config(dict(test_dataloader=dict(dataset=dataset)))
    assert find_names(cfg, dict(meta=meta))['classes'] == names


@needs_mmseg
@pytest.mark.parametrize(
    ('orientation', 'stored'),
    [(3, Image.Transpose.ROTATE_180), (6, Image.Transpose.ROTATE_90)],
)
def test_segments_a_picture_as_its_camera_held_it(
    tmp_path: Path, orientation: int, stored: Image.Transpose
) -> None:
    config = str(CONFIGS / 'mlfm' / 'unet_w8_camvid.py')
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = MODELS.build(load_config(config).model)
    weights = str(tmp_path / 'weights.pth')
    torch.save(dict(meta={}, state_dict=model.state_dict()), weights)
    pixels = np.random.default_rng(0).integers(0, 255, (72, 96, 3), np.uint8)
    upright = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    upright.save(tmp_path / 'upright.png')
    upright.transpose(stored).save(tmp_path / 'turned.png', exif=exif)
    told, shown = [], []
    for name in ('upright', 'turned'):
        out = str(tmp_path / f'{name}_out.png')
        told.append(
            run_demo(str(tmp_path / f'{name}.png'), config, weights, out)
        )
        shown.append(np.asarray(Image.open(out)))
    assert told[0] == told[1]
    assert (shown[0] == shown[1]).all()
