"""The entry points that build a model from a config and a checkpoint."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmpretrain import ImageClassificationInferencer, get_model
from torch import nn

from mlfm_mm import MLFMNeck
from tests.hosts import needs_mmseg
from tests.models.builders import shaken

REPO = Path(__file__).resolve().parents[2]
DIGITS = REPO / 'configs/mlfm/resnet18_w16_digits.py'

UNET_FILE = """
_base_ = 'mmseg::unet/unet-s5-d16_fcn_4xb4-160k_cityscapes-512x1024.py'
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    data_preprocessor=dict(size=None, size_divisor=16),
    backbone=dict(base_channels=4, norm_cfg=norm_cfg),
    neck=dict(type='mlfm_mm.MLFMNeck'),
    decode_head=dict(
        in_channels=4, channels=4, num_classes=3, norm_cfg=norm_cfg),
    auxiliary_head=None,
    test_cfg=dict(_delete_=True, mode='whole'),
)
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='PackSegInputs'),
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
"""
CLASSES = ['road', 'car', 'sky']
PALETTE = [[0, 0, 0], [255, 0, 0], [0, 0, 255]]


def photograph(height: int, width: int) -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (height, width, 3), dtype=np.uint8)


def has_units(model: nn.Module) -> bool:
    return any(isinstance(m, MLFMNeck) and m.taps for m in model.modules())


@pytest.fixture
def classifier_file(tmp_path: Path) -> str:
    model = shaken(get_model(str(DIGITS), head=dict(topk=(1,))))
    file = tmp_path / 'classifier.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), file)
    return str(file)


def test_image_classification_inferencer(classifier_file: str) -> None:
    inferencer = ImageClassificationInferencer(
        str(DIGITS), pretrained=classifier_file
    )
    assert has_units(inferencer.model)
    (result,) = inferencer(photograph(8, 8))
    # The same by hand, from the model and the config's pipeline.
    cfg = Config.fromfile(DIGITS)
    model = get_model(str(DIGITS), pretrained=classifier_file).eval()
    packed = Compose(
        [
            dict(t, type=f'mmpretrain.{t.type}')
            for t in cfg.test_dataloader.dataset.pipeline
        ]
    )(dict(img=photograph(8, 8)))
    batch = dict(
        inputs=packed['inputs'][None], data_samples=[packed['data_samples']]
    )
    with torch.no_grad():
        (sample,) = model.test_step(batch)
    np.testing.assert_allclose(
        result['pred_scores'], sample.pred_score.numpy(), rtol=1e-5
    )


def test_get_model_takes_options(classifier_file: str) -> None:
    model = get_model(
        str(DIGITS), pretrained=classifier_file, device='cpu'
    ).eval()
    state = torch.load(classifier_file)['state_dict']
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name]), name
    plain = get_model(
        str(DIGITS), neck=dict(_delete_=True, type='GlobalAveragePooling')
    )
    assert not has_units(plain)


@needs_mmseg
def test_segmentation_inferencer(tmp_path: Path) -> None:
    from mmseg.apis import MMSegInferencer, init_model

    config = tmp_path / 'unet.py'
    config.write_text(UNET_FILE)
    model = shaken(init_model(str(config), device='cpu'))
    file = tmp_path / 'unet.pth'
    meta = dict(dataset_meta=dict(classes=CLASSES, palette=PALETTE))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), file)
    inferencer = MMSegInferencer(
        model=str(config),
        weights=str(file),
        classes=CLASSES,
        palette=PALETTE,
        device='cpu',
    )
    assert has_units(inferencer.model)
    for size in ((64, 96), (32, 48)):
        found = inferencer(photograph(*size))['predictions']
        assert found.shape == size
        assert set(np.unique(found)) <= {0, 1, 2}
