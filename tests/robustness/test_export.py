"""Compilers and exporters see one graph, and the right numbers."""

import copy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch
from mmengine.analysis import get_model_complexity_info
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.export import Dim, export
from torch.fx import GraphModule

from mlfm_mm import MLFMNeck
from tests.models.builders import ToyBackbone, ToyModel, classifier, shaken
from tests.robustness.models import DEEP, NARROW, gradients, images, narrow

CONVNEXT = dict(type='mmpretrain.ConvNeXt', arch='atto')


class Features(nn.Module):
    """What exporters want: a tensor in, a tensor out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model.extract_feat(x)[0]


@pytest.fixture(autouse=True)
def fresh_compiler() -> None:
    torch.compiler.reset()


@pytest.mark.parametrize(
    'backbone', [{}, pytest.param(DEEP, marks=pytest.mark.slow)]
)
def test_extract_feat_is_one_graph(backbone: dict) -> None:
    model = shaken(narrow(backbone)).eval()
    compiled = torch.compile(
        model.extract_feat, fullgraph=True, backend='aot_eager'
    )
    with torch.no_grad():
        for size in ((64, 64), (64, 96), (75, 97)):
            x = images(1, 3, *size)
            torch.testing.assert_close(compiled(x), model.extract_feat(x))


def test_fused_units_are_one_graph() -> None:
    model, x = shaken(narrow()).eval(), images()
    with torch.no_grad():
        expected = model.extract_feat(x)
        model.neck.fuse()
        compiled = torch.compile(
            model.extract_feat, fullgraph=True, backend='aot_eager'
        )
        torch.testing.assert_close(compiled(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('with_cp', [False, True])
def test_loss_is_one_graph(with_cp: bool) -> None:
    model = narrow(with_cp=with_cp).train()
    twin = copy.deepcopy(model)
    samples = [DataSample().set_gt_label(i) for i in range(4)]
    loss = torch.compile(model.loss, fullgraph=True, backend='aot_eager')
    a = loss(images(), samples)['loss']
    b = twin.loss(images(), samples)['loss']
    torch.testing.assert_close(a, b)
    a.backward(), b.backward()
    torch.testing.assert_close(gradients(model), gradients(twin))
    torch.testing.assert_close(
        dict(model.named_buffers()), dict(twin.named_buffers())
    )


@pytest.mark.parametrize('threads', [0, 3])
@pytest.mark.parametrize('part', ['layer2', 'layer1.0', ''])
def test_a_part_may_be_compiled(part: str, threads: int) -> None:
    # The pass begins in eager code and goes on in compiled code, or back.
    model = shaken(narrow(DEEP)).eval()
    x = images(1, 3, 64, 64)
    with torch.no_grad():
        expected = model(x)
        module = model.get_submodule(f'backbone.{part}'.strip('.'))
        module.compile(backend='eager')

    def work(i: int) -> None:
        with torch.no_grad():
            other = model(x + i)  # another memory, should they mix
            for _ in range(2):
                torch.testing.assert_close(model(x), expected)
                torch.testing.assert_close(model(x + i), other)

    if not threads:
        work(1)
        return
    # As servers run models.
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))


def test_a_second_call_compiles_nothing() -> None:
    graphs = []

    def backend(graph: GraphModule, inputs: object) -> Any:
        graphs.append(graph)
        return graph.forward

    extract = torch.compile(narrow().eval().extract_feat, backend=backend)
    with torch.no_grad():
        for _ in range(3):
            extract(images(1, 3, 64, 64))
    assert len(graphs) == 1


def test_a_backbone_compiled_after_one_without_memory() -> None:
    # By default PyTorch takes the graph of the first for the second, whose
    # hooks it does not look at.
    plain = narrow(neck=dict(type='mmpretrain.GlobalAveragePooling')).eval()
    models = plain, shaken(narrow()).eval()
    x = images(1, 3, 64, 64)
    with torch.no_grad():
        expected = models[1](x)
        for model in models:
            model.backbone.compile(backend='eager')
        without = plain(x)
        torch.testing.assert_close(models[1](x), expected)
        torch.testing.assert_close(plain(x), without)


@pytest.mark.slow
def test_inductor() -> None:
    model = shaken(narrow()).eval()
    compiled = torch.compile(model.extract_feat, fullgraph=True)
    with torch.no_grad():
        x = images(1, 3, 64, 64)
        torch.testing.assert_close(
            compiled(x), model.extract_feat(x), rtol=1e-4, atol=1e-4
        )


@pytest.mark.parametrize(
    ('name', 'strict'),
    [
        ('ResNet', False),
        ('ResNet', True),
        ('ConvNeXt', False),
        pytest.param('ConvNeXt', True, marks=pytest.mark.slow),
    ],
)
def test_torch_export(name: str, strict: bool) -> None:
    model = narrow() if name == 'ResNet' else classifier(CONVNEXT, 320)
    features = Features(shaken(model)).eval()
    # Multiples of 32: with sizes wholly free the host's poolings cannot tell
    # whether a window hangs over the edge.
    height, width = Dim('h', min=2, max=32), Dim('w', min=2, max=32)
    shapes = {0: Dim('n', min=1, max=64), 2: 32 * height, 3: 32 * width}
    program = export(
        features,
        (images(2, 3, 64, 96),),
        dynamic_shapes=dict(x=shapes),
        strict=strict,
    )
    with torch.no_grad():
        for shape in ((2, 3, 64, 96), (3, 3, 160, 128)):
            x = images(*shape)
            torch.testing.assert_close(program.module()(x), features(x))


@pytest.mark.parametrize('name', ['ResNet', 'ConvNeXt'])
def test_jit_trace(name: str) -> None:
    model = narrow() if name == 'ResNet' else classifier(CONVNEXT, 320)
    features = Features(shaken(model)).eval()
    traced = torch.jit.trace(features, images(1, 3, 64, 64))
    with torch.no_grad():
        # 225 pixels: patches of 4 round down, the low-pass rounds up.
        for size in ((64, 64), (225, 97)):
            x = images(2, 3, *size)
            torch.testing.assert_close(traced(x), features(x))


@pytest.mark.parametrize(
    'dynamo', [False, pytest.param(True, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize('name', ['ResNet', 'ResNet, fused', 'ConvNeXt'])
def test_onnx(name: str, dynamo: bool, tmp_path: Path) -> None:
    model = classifier(CONVNEXT, 320) if name == 'ConvNeXt' else narrow()
    features = Features(shaken(model)).eval()
    if name.endswith('fused'):
        model.neck.fuse()
    file = str(tmp_path / 'model.onnx')
    options = dict(input_names=['x'], output_names=['y'], dynamo=dynamo)
    if dynamo:
        shapes = {0: Dim.AUTO, 2: Dim.AUTO, 3: Dim.AUTO}
        options.update(dynamic_shapes=dict(x=shapes), external_data=False)
    else:
        axes = dict(x={0: 'n', 2: 'h', 3: 'w'}, y={0: 'n'})
        options.update(dynamic_axes=axes, opset_version=17)
    torch.onnx.export(features, (images(2, 3, 64, 96),), file, **options)
    session = onnxruntime.InferenceSession(file)
    for shape in ((2, 3, 64, 96), (3, 3, 97, 75)):
        x = images(*shape)
        (y,) = session.run(None, dict(x=x.numpy()))
        with torch.no_grad():
            expected = features(x)
        torch.testing.assert_close(
            torch.from_numpy(y), expected, rtol=1e-4, atol=1e-4
        )


class First(nn.Module):
    """A toy network that exporters are done with in seconds."""

    def __init__(self, **options: str) -> None:
        super().__init__()
        self.model = shaken(ToyModel(ToyBackbone(), MLFMNeck(**options)))

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)[0]


# A size is not of the example's parity at the first, the second, any level.
SIZES = [(64, 96), (97, 75), (65, 66), (30, 51)]
OPTIONS = [dict(), dict(wavelet='db2'), dict(update='concat')]


@pytest.mark.parametrize('options', OPTIONS, ids=str)
def test_open_sizes_of_any_parity(options: dict) -> None:
    model = First(**options).eval()
    height, width = (Dim(name, min=17, max=2048) for name in 'hw')
    program = export(
        model,
        (images(2, 3, 64, 96),),
        dynamic_shapes=dict(x={2: height, 3: width}),
    )
    for size in SIZES:
        x = images(2, 3, *size)
        with torch.no_grad():
            torch.testing.assert_close(program.module()(x), model(x))


@pytest.mark.parametrize('options', OPTIONS[:2], ids=str)
def test_onnx_of_open_sizes_by_the_current_exporter(
    options: dict, tmp_path: Path
) -> None:
    model, file = First(**options).eval(), str(tmp_path / 'model.onnx')
    torch.onnx.export(
        model,
        (images(2, 3, 64, 96),),
        file,
        input_names=['x'],
        dynamo=True,
        dynamic_shapes=dict(x={0: Dim.AUTO, 2: Dim.AUTO, 3: Dim.AUTO}),
        external_data=False,
    )
    session = onnxruntime.InferenceSession(file)
    for size in SIZES:
        x = images(1, 3, *size)
        (y,) = session.run(None, dict(x=x.numpy()))
        with torch.no_grad():
            torch.testing.assert_close(
                torch.from_numpy(y), model(x), rtol=1e-4, atol=1e-4
            )


def test_flops_are_counted_under_the_neck() -> None:
    model = narrow().eval()
    info = get_model_complexity_info(model, (3, 64, 64), show_table=False)
    neck = 0
    for tap, unit in zip(model.neck.taps, model.neck.units, strict=True):
        pixels = (64 // tap.reduction) ** 2
        for gate in (unit.input_gate, unit.supplement_gate):
            neck += pixels * gate.conv.weight.numel()
    plain = classifier(
        NARROW, 64, neck=dict(type='mmpretrain.GlobalAveragePooling')
    )
    base = get_model_complexity_info(
        plain.eval(), (3, 64, 64), show_table=False
    )
    # Norms and sums are counted too, and are few.
    assert neck < info['flops'] - base['flops'] < 1.5 * neck
    assert 'neck' in info['out_arch']


def test_torch_fx_is_refused_with_the_reason() -> None:
    with pytest.raises(TypeError, match=r'torch\.export\.export or'):
        torch.fx.symbolic_trace(narrow().eval().backbone)
