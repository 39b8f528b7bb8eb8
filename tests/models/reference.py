"""MLFM written out plainly in float64, from the formulas of the paper.

It shares no code with the package: PyWavelets does the low-pass, weights are
read from a state dict, and a ResNet is a chain of function calls.
"""

import pywt
import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def low_low(x: Tensor, times: int = 1, wavelet: str = 'haar') -> Tensor:
    """The LL band after ``times`` levels; a gradient does not flow."""
    for _ in range(times):
        band, _ = pywt.dwt2(x.numpy(), wavelet, mode='periodization')
        x = torch.from_numpy(band)
    return x


class Reference:
    """Functions over the weights of a network.

    Args:
        state (dict[str, Tensor]): The state dict; converted to float64.
        training (bool): Whether norms use the batch's own statistics.
    """

    def __init__(self, state: State, training: bool = False) -> None:
        self.state = {
            k: v.detach().double() if v.is_floating_point() else v
            for k, v in state.items()
        }
        self.training = training

    def conv(self, name: str, x: Tensor, stride: int, pad: int) -> Tensor:
        weight = self.state[f'{name}.weight']
        return F.conv2d(x, weight, stride=stride, padding=pad)

    def norm(self, name: str, x: Tensor) -> Tensor:
        if self.training:
            mean = x.mean((0, 2, 3))
            var = ((x - mean[:, None, None]) ** 2).mean((0, 2, 3))
        else:
            mean = self.state[f'{name}.running_mean']
            var = self.state[f'{name}.running_var']
        weight, bias = self.state[f'{name}.weight'], self.state[f'{name}.bias']
        scale = weight / torch.sqrt(var + 1e-5)
        shift = bias - mean * scale
        return x * scale[:, None, None] + shift[:, None, None]

    def unit(
        self,
        name: str,
        x: Tensor,
        memory: Tensor,
        image: Tensor,
        update: str = 'add',
    ) -> tuple[Tensor, Tensor]:
        gate = self.conv(f'{name}.input_gate.conv', memory, 1, 0)
        low = self.norm(f'{name}.input_gate.bn', gate).clamp(min=0)
        if f'{name}.supplement_gate.conv.weight' in self.state:
            gate = self.conv(f'{name}.supplement_gate.conv', image, 1, 1)
            low = low + self.norm(f'{name}.supplement_gate.bn', gate).clamp(
                min=0
            )
        new = x + low if update == 'add' else torch.cat([x, low], 1)
        return self.norm(f'{name}.output_gate', x + low), new

    def basic_block(self, name: str, x: Tensor, stride: int) -> Tensor:
        y = self.conv(f'{name}.conv1', x, stride, 1)
        y = self.norm(f'{name}.bn1', y).clamp(min=0)
        y = self.norm(f'{name}.bn2', self.conv(f'{name}.conv2', y, 1, 1))
        if f'{name}.downsample.0.weight' in self.state:
            x = self.conv(f'{name}.downsample.0', x, stride, 0)
            x = self.norm(f'{name}.downsample.1', x)
        return (x + y).clamp(min=0)

    def resnet18_mlfm(
        self, image: Tensor, update: str = 'add', wavelet: str = 'haar'
    ) -> Tensor:
        """Logits of a ResNet-18 with six units, wired as in the paper."""

        def low(x: Tensor, times: int = 1) -> Tensor:
            return low_low(x, times, wavelet)

        def unit(i: int, x: Tensor, m: Tensor, level: int) -> tuple:
            return self.unit(
                f'neck.units.{i}', x, m, low(image, level), update
            )

        x = self.conv('backbone.conv1', image, 2, 3)
        x = self.norm('backbone.bn1', x).clamp(min=0)
        x, m = unit(0, x, low(image), 1)
        x = F.max_pool2d(x, 3, 2, 1)
        x, m = unit(1, x, low(m), 2)
        for stage in range(1, 5):
            for block in range(2):
                stride = 2 if stage > 1 and block == 0 else 1
                name = f'backbone.layer{stage}.{block}'
                x = self.basic_block(name, x, stride)
            # No forgetting from pooling to stage 1: the same resolution.
            m = m if stage == 1 else low(m)
            x, m = unit(stage + 1, x, m, stage + 1)
        x = x.mean((2, 3))
        return x @ self.state['head.fc.weight'].T + self.state['head.fc.bias']
