import pytest
import torch
from torch import nn

from benchmarks.networks import BASELINE, make_group
from benchmarks.parts import read_parts
from benchmarks.traffic import (
    Traffic,
    TrafficMode,
    count_kernels,
    count_traffic,
)
from mlfm_mm import LFMU
from mlfm_mm.engine.options import load_config
from mlfm_mm.models.kernels import check_triton

IMAGE = (2, 3, 256, 256)
# Where Triton runs: without a GPU it plays one.
DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'


@pytest.fixture
def needs_triton() -> None:
    try:
        check_triton()
    except ImportError as error:
        pytest.skip(str(error))


def test_views_and_allocations_are_free() -> None:
    x = torch.zeros(4, 6)
    with TrafficMode() as counted:
        x.view(24).reshape(2, 12).t()[0].unsqueeze(0).detach()
        torch.empty(100)
        x.shape, x.add_(1), x.sum()
    assert dict(counted.launches) == {'add_': 1, 'sum': 1}
    # Read and written; read, and a number written.
    assert counted.bytes == 2 * 96 + 96 + 4


def test_an_expanded_tensor_is_what_is_stored() -> None:
    with TrafficMode() as counted:
        torch.zeros(1, 10).expand(100, 10).contiguous()
    assert counted.bytes == 40 + 40 + 4000


@pytest.mark.parametrize(('training', 'reads'), [(True, 2), (False, 1)])
def test_a_norm_reads_twice_to_measure_its_moments(
    training: bool, reads: int
) -> None:
    x, norm = torch.rand(2, 4, 8, 8), nn.BatchNorm2d(4).train(training)
    norm.num_batches_tracked = None
    with torch.no_grad(), TrafficMode() as counted:
        norm(x)
    vectors = 4 + (2 if training else 0)
    assert counted.bytes == 4 * ((reads + 1) * x.numel() + vectors * 4)


def test_a_unit_by_hand() -> None:
    # In inference, by the plain formulas: convolution, norm and activation
    # of two gates; their sum; the update gate's sum; the output gate's norm.
    channels, memory, size = 8, 6, 10
    unit = LFMU(memory, channels, kernels=False)
    pixels = 2 * size * size
    x, low, image = pixels * channels, pixels * memory, pixels * 3
    norm = 2 * x + 4 * channels
    input_gate = low + memory * channels + x + norm + 2 * x
    supplement_gate = image + 27 * channels + x + norm + 2 * x
    total = input_gate + supplement_gate + 3 * x + 3 * x + norm
    maps = [torch.rand(2, n, size, size) for n in (channels, memory, 3)]
    with torch.no_grad(), TrafficMode() as counted:
        unit.eval()(*maps)
    assert counted.traffic == Traffic(9, 4 * total)


@pytest.mark.usefixtures('needs_triton')
def test_a_unit_in_fused_kernels_by_hand() -> None:
    # One launch: it reads feature, memory, image and weights, four vectors
    # of each of three norms, and writes feature and memory.
    channels, memory, size = 8, 6, 10
    unit = LFMU(memory, channels, levels=1, kernels='triton')
    unit.to(DEVICE).eval()
    pixels = 2 * size * size
    maps = pixels * (2 * channels + memory + 3) + pixels // 4 * channels
    weights = channels * (memory + 27 + 3 * 4)
    inputs = [
        torch.rand(2, n, size, size, device=DEVICE)
        for n in (channels, memory, 3)
    ]
    with torch.no_grad(), TrafficMode() as counted:
        unit(*inputs)
    assert counted.traffic == Traffic(1, 4 * (maps + weights))
    # Training: five launches, and three, three sums and a convolution back.
    with TrafficMode() as counted:
        x, new = unit.train()(*inputs)
        torch.autograd.backward((x, new), (x.detach(), new.detach()))
    assert counted.traffic.launches == 5 + 3 + 3 + 1


def test_fakes_count_as_tensors_do() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    weights = {key: v.clone() for key, v in model.state_dict().items()}
    images = torch.rand(2, 3, 8, 8)
    fakes = [count_traffic(model, images.shape, t) for t in (False, True)]
    for key, value in model.state_dict().items():
        assert torch.equal(value, weights[key])
    for training, fake in zip((False, True), fakes, strict=True):
        model.train(training)
        with torch.set_grad_enabled(training), TrafficMode() as counted:
            output = model(images)
            if training:
                output.sum().backward()
        assert counted.traffic == fake


def counted(arm: str, phase: str, device: str = 'cpu') -> dict[str, float]:
    """The launches and bytes of an arm, in units of the baseline's."""
    cfg = load_config('configs/mlfm/resnet18_in100.py')
    group = make_group('resnet18', cfg, [arm] if '=' in arm else [])
    models = {a.name: a.build() for a in group.arms}
    traffic, base = (
        count_traffic(models[name], IMAGE, phase == 'train', device)
        for name in (arm, BASELINE)
    )
    return {
        f'launches_{phase}': traffic.launches / base.launches,
        f'bytes_{phase}': traffic.bytes / base.bytes,
    }


@pytest.mark.parametrize('arm', ['MLFM', 'with_cp=True'])
@pytest.mark.parametrize('phase', ['infer', 'train'])
def test_what_a_cpu_runs_is_counted(arm: str, phase: str) -> None:
    assert all(ratio > 1 for ratio in counted(arm, phase).values())


@pytest.mark.parametrize('phase', ['infer', 'train'])
def test_limits_of_the_plain_formulas(phase: str) -> None:
    limits = read_parts()['traffic'].limits['kernels=False']
    for quantity, ratio in counted('kernels=False', phase).items():
        assert 1 < ratio <= limits[quantity], (quantity, ratio)


@pytest.mark.usefixtures('needs_triton')
@pytest.mark.parametrize('phase', ['infer', 'train'])
def test_limits_of_the_fused_kernels(phase: str) -> None:
    limits = read_parts()['traffic'].limits['kernels=triton']
    for quantity, ratio in counted('kernels=triton', phase, DEVICE).items():
        assert 1 < ratio <= limits[quantity], (quantity, ratio)


def test_a_gpu_runs_the_plain_formulas() -> None:
    # Fakes need no GPU; only their backward passes do.
    phases = ['infer', 'train'] if torch.cuda.is_available() else ['infer']
    limits = read_parts()['traffic'].limits['kernels=False']
    for phase in phases:
        for quantity, ratio in counted('MLFM', phase, 'cuda').items():
            assert 1 < ratio <= limits[quantity], (quantity, ratio)


@pytest.mark.slow
def test_a_compiler_fuses_what_eager_launches_one_by_one() -> None:
    model = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.Sigmoid())
    images = (2, 3, 8, 8)
    assert count_traffic(model, images, training=False).launches == 3
    assert count_kernels(model, images, training=False) == 1
    # Counted anew each time, whatever was compiled before.
    assert count_kernels(model, images, training=False) == 1
    assert count_kernels(model, images, training=True) > 1
