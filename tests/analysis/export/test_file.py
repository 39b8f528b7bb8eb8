"""A file says what PyTorch says, where neither torch nor OpenMMLab is."""

import copy
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from mmengine.logging import MMLogger
from PIL import Image

from mlfm_mm.analysis.export import (
    Exported,
    check_packages,
    describe,
    export_network,
    open_exported,
    save,
)
from mlfm_mm.analysis.export.graph import Logits
from mlfm_mm.analysis.trained import Trained
from mlfm_mm.engine import UsageError
from tests.analysis.networks import GREY, classifier, segmentor

DEMO = Path(__file__).resolve().parents[3] / 'demo' / 'run_onnx.py'
# A process that cannot import what the file must do without.
WITHOUT = """
import runpy, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in ('torch', 'mmengine', 'mmcv', 'mlfm_mm'):
            raise ImportError(f'{name} must not be needed')
sys.meta_path.insert(0, Absent())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


def run_demo(file: Path, picture: Path) -> str:
    done = subprocess.run(
        [sys.executable, '-c', WITHOUT, str(DEMO), str(file), str(picture)],
        cwd=file.parent,
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def digits(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Trained, Exported, Path]:
    folder = tmp_path_factory.mktemp('digits')
    network = classifier(folder)
    exported = export_network(network, None)
    save(exported, describe(network, exported), folder / 'net.onnx')
    return network, exported, folder / 'net.onnx'


def test_a_package_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('onnxscript', 'onnxruntime'):
        monkeypatch.setitem(sys.modules, name, None)
    told = (
        r'net\.onnx needs onnxscript, onnxruntime, not installed here: pip '
        r"install 'mlfm_mm\[export\]', or try --format pt2"
    )
    with pytest.raises(UsageError, match=told):
        check_packages(Path('net.onnx'))
    check_packages(Path('net.pt2'))


def test_a_unit_has_no_more_nodes_than_its_formulas(
    digits: tuple[Trained, Exported, Path],
) -> None:
    network, _, file = digits
    found = Counter(node.op_type for node in onnx.load(file).graph.node)
    units = len(network.model.neck.units)
    levels = [unit.forget_gate.levels for unit in network.model.neck.units]
    # Bands of the image, and LL: the edge repeated, half the sum of 2x2.
    low_passes = network.model.neck._bands[0] + sum(levels[:-1])
    # l = ReLU(Conv(m)) + ReLU(Conv(I)); m' = x + l; x' = scale * m' + shift
    formulas = Counter(Conv=2, Relu=2, Add=3, Mul=1)
    allowed = Counter({op: n * units for op, n in formulas.items()})
    for op in ('Pad', 'Conv'):
        allowed[op] += low_passes
    # ResNet-18: 20 convolutions with their ReLUs, 8 sums, and the rest.
    allowed += Counter(
        Conv=20, Relu=17, Add=8, MaxPool=1, ReduceMean=1, Reshape=1, Gemm=1
    )
    assert all(n <= allowed[op] for op, n in found.items()), found


def test_the_file_knows_what_the_demo_needs(
    digits: tuple[Trained, Exported, Path],
) -> None:
    network, _, file = digits
    session = onnxruntime.InferenceSession(file)
    told = session.get_modelmeta().custom_metadata_map
    facts = {key: json.loads(value) for key, value in told.items()}
    assert facts['task'] == 'classification' and facts['size'] == [32, 32]
    assert facts['keep_ratio'] is False and facts['crop_pct'] == 1
    assert facts['classes'] == list('0123456789')
    assert facts['mean'] == network.cfg.data_preprocessor.mean


def test_pictures_keep_their_size_where_no_pipeline_sets_one(
    digits: tuple[Trained, Exported, Path],
) -> None:
    network, exported, _ = digits
    cfg = copy.deepcopy(network.cfg)
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.dataset.pipeline = [dict(type='PackInputs')]
    facts = describe(replace(network, cfg=cfg), exported)
    assert facts['size'] == 'null'


def test_what_the_file_cannot_say_is_named(
    digits: tuple[Trained, Exported, Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    network, exported, _ = digits
    # As a network is known to its tool, whose config is read from a file.
    cfg = copy.deepcopy(network.cfg)
    cfg.test_dataloader.dataset.pipeline[0].keep_ratio = True
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    facts = describe(replace(network, cfg=cfg), exported)
    logger.removeHandler(caplog.handler)
    assert facts['keep_ratio'] == 'true'
    assert 'digits_mlfm.py: the metadata leave out Resize' in caplog.text


def test_a_class_without_torch(
    digits: tuple[Trained, Exported, Path], tmp_path: Path
) -> None:
    network, exported, file = digits
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'x.png')
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
    with torch.no_grad():
        data = network.model.data_preprocessor(dict(inputs=x.flip(1)))
        scores = exported.logits(data['inputs']).softmax(1)[0]
    best = scores.topk(3)
    expected = [
        f'{score:.3f} {label}'
        for score, label in zip(
            best.values.tolist(), best.indices.tolist(), strict=True
        )
    ]
    assert run_demo(file, tmp_path / 'x.png').splitlines() == expected


def test_grey_pictures_without_torch(tmp_path: Path) -> None:
    network = classifier(tmp_path, 'baseline', GREY)
    exported = export_network(network, None)
    save(exported, describe(network, exported), tmp_path / 'net.onnx')
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'x.png')
    x = (torch.from_numpy(pixels).float()[None, None] - 78) / 96
    with torch.no_grad():
        score, label = exported.logits(x).softmax(1)[0].max(0)
    printed = run_demo(tmp_path / 'net.onnx', tmp_path / 'x.png')
    assert printed.splitlines()[0] == f'{score:.3f} {label}'


HEADS = [
    dict(type='MultiLabelLinearClsHead', num_classes=10, in_channels=32),
    # It does not know the number of its classes.
    dict(
        type='CSRAClsHead', num_classes=10, in_channels=32, num_heads=1, lam=1
    ),
]


@pytest.mark.parametrize('head', HEADS, ids=lambda head: head['type'])
def test_several_labels_without_torch(head: dict, tmp_path: Path) -> None:
    more = f"model['head'] = dict(_delete_=True, **{head})\n"
    network = classifier(tmp_path, more=more)
    exported = export_network(network, (32, 32))
    facts = describe(network, exported)
    assert json.loads(facts['task']) == 'multi-label classification'
    assert json.loads(facts['classes']) == list('0123456789')
    save(exported, facts, tmp_path / 'net.onnx')
    pixels = np.full((32, 32, 3), 200, np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'x.png')
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    with torch.no_grad():
        data = network.model.data_preprocessor(dict(inputs=x))
        scores = exported.logits(data['inputs']).sigmoid()[0].sort().values
    printed = run_demo(tmp_path / 'net.onnx', tmp_path / 'x.png')
    told = [float(line.split()[0]) for line in printed.splitlines()]
    assert told == pytest.approx(scores.flip(0)[:3].tolist(), abs=1e-3)


def test_any_size_and_number(
    digits: tuple[Trained, Exported, Path],
) -> None:
    _, exported, file = digits
    run = open_exported(file)
    for shape in ((1, 3, 32, 32), (3, 3, 45, 66)):
        x = torch.randn(shape)
        with torch.no_grad():
            expected = exported.logits(x)
        torch.testing.assert_close(run(x), expected, rtol=1e-3, atol=1e-3)


def test_a_mask_without_torch(tmp_path: Path) -> None:
    network = segmentor(tmp_path)
    exported = export_network(network, None)
    assert exported.divisor == 4  # the decoder must meet the encoder
    save(exported, describe(network, exported), tmp_path / 'net.onnx')
    square = Image.open(tmp_path / 'squares' / 'images' / '0.png')
    square.resize((35, 33)).save(tmp_path / 'x.png')
    printed = run_demo(tmp_path / 'net.onnx', tmp_path / 'x.png')
    assert 'mask.png' in printed
    with Image.open(tmp_path / 'mask.png') as mask:
        # Of the picture's own size, which need not fit the network.
        assert mask.size == (35, 33) and mask.mode == 'P'


def test_a_mask_of_one_size_is_of_the_whole_picture(tmp_path: Path) -> None:
    network = segmentor(tmp_path)
    exported = export_network(network, (32, 32))
    facts = describe(network, exported)
    save(exported, facts, tmp_path / 'net.onnx')
    pixels = np.random.default_rng(0).integers(0, 256, (32, 96, 3), np.uint8)
    picture = Image.fromarray(pixels)
    picture.save(tmp_path / 'x.png')
    run_demo(tmp_path / 'net.onnx', tmp_path / 'x.png')
    shrunk = picture.transform(
        (32, 32),
        Image.Transform.AFFINE,
        (3, 0, 0, 0, 1, 0),
        Image.Resampling.BILINEAR,
    )
    x = torch.from_numpy(np.array(shrunk)[..., ::-1].copy())
    data = dict(inputs=[x.permute(2, 0, 1)])
    with torch.no_grad():
        x = network.model.data_preprocessor(data)['inputs']
        seen = exported.logits(x)[0].argmax(0)
    expected = np.asarray(seen).repeat(3, 1)
    with Image.open(tmp_path / 'mask.png') as mask:
        assert (np.asarray(mask) == expected).mean() > 0.99


def test_pt2_of_one_size(tmp_path: Path) -> None:
    network = segmentor(tmp_path)
    exported = export_network(network, (32, 64))
    save(exported, describe(network, exported), tmp_path / 'net.pt2')
    x = torch.randn(1, 3, 32, 64)
    with torch.no_grad():
        expected = Logits(network)(x)
        found = open_exported(tmp_path / 'net.pt2')(x)
    assert found.shape == (1, 2, 32, 64)
    torch.testing.assert_close(found, expected)


def test_another_ending_is_refused(tmp_path: Path) -> None:
    network = classifier(tmp_path)
    exported = export_network(network, (32, 32))
    with pytest.raises(UsageError, match=r'ends in \.onnx or \.pt2'):
        save(exported, {}, tmp_path / 'net.pth')


def test_colours_that_are_not_normalized(tmp_path: Path) -> None:
    more = '\ndata_preprocessor = dict(num_classes=10, to_rgb=True)\n'
    network = classifier(tmp_path, 'mlfm', more)
    exported = export_network(network, None)
    save(exported, describe(network, exported), tmp_path / 'net.onnx')
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'x.png')
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        score, label = exported.logits(x).softmax(1)[0].max(0)
    printed = run_demo(tmp_path / 'net.onnx', tmp_path / 'x.png')
    assert printed.splitlines()[0] == f'{score:.3f} {label}'


def test_what_onnx_cannot_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError('no such operator\n\x1b[96mThis is step 3/3')

    network = classifier(tmp_path)
    exported = export_network(network, (32, 32))
    monkeypatch.setattr(torch.onnx, 'export', fail)
    message = r'try --format pt2 \(RuntimeError: no such operator\)$'
    with pytest.raises(UsageError, match=message):
        save(exported, describe(network, exported), tmp_path / 'net.onnx')
