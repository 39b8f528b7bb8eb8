"""Networks on clips, which are refused by name."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from mlfm_mm import add_memory

CLIPS = {
    'tsn/tsn_imagenet-pretrained-r50_8xb32-1x1x3-100e_kinetics400-rgb.py': (
        'Recognizer2D'
    ),
    'tsm/tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb.py': (
        'Recognizer2D'
    ),
    'i3d/i3d_imagenet-pretrained-r50_8xb8-32x2x1-100e_kinetics400-rgb.py': (
        'Recognizer3D'
    ),
}


@pytest.mark.parametrize('name', CLIPS)
def test_clips_are_refused(name: str) -> None:
    package = Path(find_spec('mmaction').origin).parent
    folder = package / '.mim' / 'configs' / 'recognition'
    cfg = Config.fromfile(folder / name)
    cfg.model.backbone.pretrained = None
    with (
        DefaultScope.overwrite_default_scope('mmaction'),
        pytest.raises(ValueError, match=f'{CLIPS[name]} .*clips'),
    ):
        MODELS.build(add_memory(cfg).model)
