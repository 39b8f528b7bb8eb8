import numpy as np
import pytest
import torch

pytest.importorskip('mmpretrain')

from mmpretrain.models import ClsDataPreprocessor
from mmseg.models import SegDataPreProcessor

from mlfm_mm.engine.normalization import normalization_of

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)


@pytest.mark.parametrize('turned', [True, False])
@pytest.mark.parametrize('host', ['mmpretrain', 'mmseg'])
def test_what_a_preprocessor_does_is_undone(host: str, turned: bool) -> None:
    bgr = torch.from_numpy(PIXELS[..., ::-1].copy()).permute(2, 0, 1)
    if host == 'mmpretrain':
        pre = ClsDataPreprocessor(MEAN, STD, to_rgb=turned)
        x = pre(dict(inputs=bgr[None]))['inputs']
    else:
        pre = SegDataPreProcessor(MEAN, STD, bgr_to_rgb=turned)
        x = pre(dict(inputs=[bgr]))['inputs']
    found = normalization_of(pre)
    assert found.order == ('RGB' if turned else 'BGR')
    assert np.array_equal(found.picture(x[0]), PIXELS)


def test_pixels_that_stay_as_they_are() -> None:
    found = normalization_of(ClsDataPreprocessor())
    grey = torch.full((1, 2, 2), 7.0)
    assert found.picture(grey).tolist() == [[[7] * 3] * 2] * 2
