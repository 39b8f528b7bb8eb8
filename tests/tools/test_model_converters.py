"""The authors' weights, made up or as published, in our models."""

import re
import subprocess
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.fileio import load
from torch import nn

from mlfm_mm.engine.models import build_model
from tests.models.builders import shaken
from tests.processes import run_python
from tests.tools.helpers import write_image

REPO = Path(__file__).resolve().parents[2]
CONVERTER = REPO / 'tools/model_converters/authors_mobilenetv2.py'
NET = 'mobilenetv2_0.1_in100.py'


def run(*command: object) -> subprocess.CompletedProcess:
    return run_python(*command, cwd=REPO)


CONFIGS = {
    'baseline': 'configs/baseline/mobilenetv2_0.1_in100.py',
    'mlfm_concat': 'configs/mlfm/mobilenetv2_0.1_concat_in100.py',
}
# What the authors call the parts of a unit, and blocks of the stages before.
THEIR_GATES = {
    'input_gate.conv': 'convinput',
    'input_gate.bn': 'bninput',
    'supplement_gate.conv': 'convsupplement',
    'supplement_gate.bn': 'bnsupplement',
    'output_gate': 'bnx',
}
BLOCKS_BEFORE = (0, 1, 3, 6, 10, 13, 16)


def their_name(ours: str, memory: bool) -> str:
    """What the authors call a weight of our network."""
    ours = ours.replace('.conv.conv.', '.conv.')
    parts = dict(conv=0, bn=1)
    if match := re.fullmatch(r'head\.fc\.(.+)', ours):
        return f'classifier.{match[1]}'
    if match := re.fullmatch(r'backbone\.conv(\d)\.(conv|bn)\.(.+)', ours):
        first = 'featuresconv' if memory else 'features.0'
        room = first if match[1] == '1' else 'conv'
        return f'{room}.{parts[match[2]]}.{match[3]}'
    if match := re.fullmatch(
        r'backbone\.layer(\d)\.(\d)\.conv\.(\d)\.(conv|bn)\.(.+)', ours
    ):
        stage, block = int(match[1]) - 1, int(match[2])
        room = f'features{stage}.{block}'
        if not memory:
            room = f'features.{1 + BLOCKS_BEFORE[stage] + block}'
        index = 3 * int(match[3]) + parts[match[4]]
        return f'{room}.conv.{index}.{match[5]}'
    match = re.fullmatch(r'neck\.units\.(\d)\.(.+)\.(\w+)', ours)
    unit = 'conv' if match[1] == '0' else match[1]
    return f'wavelet_{unit}.{THEIR_GATES[match[2]]}.{match[3]}'


def publish(model: nn.Module, path: Path, memory: bool) -> None:
    """Save weights as the authors do, whose gates have biases."""
    state = {}
    for name, tensor in model.state_dict().items():
        theirs = their_name(name, memory)
        state[theirs] = tensor.clone()
        if 'gate.conv.weight' in name:
            bias = torch.randn(len(tensor))
            state[theirs.replace('weight', 'bias')] = bias
    for name in [n for n in state if n.startswith('wavelet') and 'bn' in n]:
        bias = name.replace('bn', 'conv').replace('running_mean', 'bias')
        if name.endswith('running_mean') and bias in state:
            state[name] += state[bias]  # so that the norm takes it off again
    state['dwt.h0_col'] = torch.zeros(2)  # constants of the published code
    torch.save(state, path)


@pytest.fixture(scope='module', params=CONFIGS)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, nn.Module, Path]:
    """A form of the network, one with random weights, and these converted."""
    form, folder = request.param, tmp_path_factory.mktemp('made')
    model = shaken(build_model(Config.fromfile(REPO / CONFIGS[form])))
    publish(model, folder / 'published.pth', memory=form != 'baseline')
    checkpoint = folder / 'converted.pth'
    converted = run(CONVERTER, folder / 'published.pth', checkpoint)
    assert converted.returncode == 0, converted.stderr
    return form, model, checkpoint


def test_converted_weights_give_the_same_numbers(
    made: tuple[str, nn.Module, Path],
) -> None:
    form, model, checkpoint = made
    other = build_model(Config.fromfile(REPO / CONFIGS[form]))
    state = torch.load(checkpoint)['state_dict']
    other.load_state_dict(state)
    # With them, other options than the authors' are refused.
    assert state._metadata == other.state_dict()._metadata
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(
            other.eval()(images), model.eval()(images), rtol=1e-4, atol=1e-4
        )


@pytest.mark.parametrize('made', ['mlfm_concat'], indirect=True)
def test_another_config_is_refused(
    made: tuple[str, nn.Module, Path], tmp_path: Path
) -> None:
    """The network of the paper's table has the memory in its other form."""
    _, _, checkpoint = made
    picture = tmp_path / 'photo.png'
    write_image(picture, 0, 100)
    shown = run(
        *('tools/image_demo.py', picture, f'configs/mlfm/{NET}', checkpoint),
        *('--out', tmp_path / 'shown.png'),
    )
    (last,) = shown.stderr.strip().splitlines()[-1:]
    assert shown.returncode and not (tmp_path / 'shown.png').exists()
    assert 'belong to mobilenetv2_0.1_concat_in100' in last
    assert "update='concat'" in last and 'Traceback' not in shown.stderr


def accuracy(form: str, checkpoint: Path, data: Path, folder: Path) -> dict:
    """Test converted weights by tools/test.py."""
    result = folder / 'metrics.json'
    tested = run(
        *('tools/test.py', CONFIGS[form], checkpoint),
        *('--work-dir', folder / 'work'),
        *('--out', result, '--out-item', 'metrics', '--cfg-options'),
        f'test_dataloader.dataset.data_root={data}',
        'test_dataloader.num_workers=0',
        'test_dataloader.persistent_workers=False',
        'test_dataloader.batch_size=50',
    )
    assert tested.returncode == 0, tested.stderr
    metrics: dict = load(result)
    return metrics


def test_converted_weights_can_be_tested(
    made: tuple[str, nn.Module, Path], hundred_images: Path, tmp_path: Path
) -> None:
    form, _, checkpoint = made
    metrics = accuracy(form, checkpoint, hundred_images, tmp_path)
    assert 0 <= metrics['accuracy/top1'] <= metrics['accuracy/top5'] <= 100


@pytest.mark.parametrize(
    ('form', 'top1', 'top5'), [('baseline', 65, 86), ('mlfm_concat', 63, 89)]
)
def test_as_right_as_the_published_code(
    form: str,
    top1: float,
    top5: float,
    authors_weights: Path,
    imagenet100_samples: Path,
    tmp_path: Path,
) -> None:
    source = authors_weights / f'authors_mobilenetv2_x0.1_{form}.pth'
    checkpoint = tmp_path / 'converted.pth'
    converted = run(CONVERTER, source, checkpoint)
    assert converted.returncode == 0, converted.stderr
    metrics = accuracy(form, checkpoint, imagenet100_samples, tmp_path)
    assert metrics['accuracy/top1'] == top1
    assert metrics['accuracy/top5'] == top5


def test_what_is_no_published_checkpoint(tmp_path: Path) -> None:
    missing = run(CONVERTER, tmp_path / 'none.pth', tmp_path / 'out.pth')
    assert missing.returncode and 'there is no checkpoint' in missing.stderr
    other = tmp_path / 'other.pth'
    torch.save({'state_dict': {'layer1.weight': torch.zeros(1)}}, other)
    refused = run(CONVERTER, other, tmp_path / 'out.pth')
    assert refused.returncode
    assert "'layer1.weight' is not a weight of the authors'" in refused.stderr
    torch.save({'classifier.bias': torch.zeros(100)}, other)
    refused = run(CONVERTER, other, tmp_path / 'out.pth')
    assert 'is not the whole network: ' in refused.stderr
    assert 'Traceback' not in refused.stderr
    assert not (tmp_path / 'out.pth').exists()


@pytest.mark.parametrize('made', ['baseline'], indirect=True)
def test_a_folder_is_no_file(
    made: tuple[str, nn.Module, Path], tmp_path: Path
) -> None:
    published = made[2].with_name('published.pth')
    refused = run(CONVERTER, published, tmp_path)
    assert refused.returncode
    assert 'is a folder: give the file to write' in refused.stderr


def test_the_configs_use_the_published_pipeline() -> None:
    cfg = Config.fromfile(REPO / 'configs/mlfm' / NET)
    resize, crop = cfg.test_dataloader.dataset.pipeline[1:3]
    assert (resize.scale, crop.crop_size) == (int(256 / 0.875), 256)
