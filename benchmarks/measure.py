"""Measure a group of networks in a setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from mlfm_mm.analysis.complexity import dummy, measure_complexity

from .figures import Figure
from .memory import peak_bytes, saved_bytes
from .networks import Arm, Group, memory_of
from .setting import Program, Setting, Step, make_program
from .timing import Name, Ratio, compare, difference, interleave
from .traffic import count_kernels, count_traffic

# Times, then what is counted and needs no quiet machine.
ASPECTS = ('infer', 'folded', 'train', 'memory', 'traffic', 'size')
# The baseline, measured once more: what chance alone does.
AGAIN = 'again'


class Sheet:
    """Measures networks, and collects what it finds.

    Args:
        group (Group): The networks.
        setting (Setting): How to run them.
        aspects (Sequence[str]): What to measure, some of ``ASPECTS``.
            Defaults to all.
        repeats (int): Rounds that count. Defaults to 10.
        point (str): Where in a sweep this is. Defaults to ``''``.

    Raises:
        UsageError: A network cannot be built.
    """

    def __init__(
        self,
        group: Group,
        setting: Setting,
        aspects: Sequence[str] = ASPECTS,
        repeats: int = 10,
        point: str = '',
    ) -> None:
        self.group = group
        self.setting = setting
        self.aspects = aspects
        self.repeats = repeats
        self.point = point
        self.figures: list[Figure] = []
        memories = (memory_of(arm.build()) for arm in group.arms)
        channels = (memory.image_channels for memory in memories if memory)
        self.channels = next(channels, 3)

    def fill(self) -> list[Figure]:
        """Measure all that was asked for.

        Returns:
            list[Figure]: The figures.
        """
        if self._asks('infer', 'folded', 'memory'):
            self._infer()
        if self._asks('train', 'memory'):
            self._train()
        if self._asks('traffic'):
            self._count_traffic()
        if self._asks('size'):
            self._count_size()
        return self.figures

    def _asks(self, *aspects: str) -> bool:
        return any(aspect in self.aspects for aspect in aspects)

    def _infer(self) -> None:
        """Measure inference, as it is and with folded norms."""
        arms = self._arms(training=False)
        forms = [False, True] if self._asks('folded') else [False]
        self._reset()
        programs = {
            (arm.name, folded): self._program(arm, False, folded)
            for arm in arms
            for folded in forms
        }
        if self._asks('infer', 'folded'):
            first = arms[0].name, False
            seconds, chance = self._time(programs, first)
            for quantity, folded, base in (
                ('infer', False, first),
                ('folded', True, (arms[0].name, True)),
                ('deployed', True, first),
            ):
                if folded in forms:
                    self._add_times(
                        quantity,
                        {arm.name: seconds[arm.name, folded] for arm in arms},
                        seconds[base],
                        chance,
                    )
        if self._asks('memory'):
            peaks = {a.name: self._peak(programs[a.name, False]) for a in arms}
            self._add('peak_infer', peaks)

    def _train(self) -> None:
        """Measure training steps."""
        self._reset()
        programs = {
            arm.name: self._program(arm, True) for arm in self.group.arms
        }
        if self._asks('train'):
            first = self.group.arms[0].name
            seconds, chance = self._time(programs, first)
            times = {name: seconds[name] for name in programs}
            self._add_times('train', times, seconds[first], chance)
        if self._asks('memory'):
            self._add(
                'saved',
                {
                    name: saved_bytes(program.model, program.forward)
                    for name, program in programs.items()
                },
            )
            peaks = {name: self._peak(p) for name, p in programs.items()}
            self._add('peak_train', peaks)

    def _count_traffic(self) -> None:
        """Count launches and bytes, or the kernels of a compiler."""
        batch, size = self.setting.batch, self.setting.image_size
        device = self.setting.device
        for phase in ('infer', 'train'):
            training = phase == 'train'
            models = {arm.name: arm.build() for arm in self._arms(training)}
            if self.setting.mode == 'compiled':
                kernels = {}
                for name, model in models.items():
                    images = dummy(model, batch, self.channels, size)
                    kernels[name] = count_kernels(model, images, training)
                self._add(f'kernels_{phase}', kernels)
                continue
            image = batch, self.channels, *size
            counts = {
                name: count_traffic(model, image, training, device)
                for name, model in models.items()
            }
            for quantity in ('launches', 'bytes'):
                numbers = {n: getattr(c, quantity) for n, c in counts.items()}
                self._add(f'{quantity}_{phase}', numbers)

    def _count_size(self) -> None:
        """Count parameters and multiply-adds."""
        size = self.setting.image_size
        sizes = {
            arm.name: measure_complexity(arm.build(), size, self.channels)
            for arm in self.group.arms
        }
        self._add(
            'params', {name: size.params for name, size in sizes.items()}
        )
        self._add('macs', {name: size.macs for name, size in sizes.items()})

    def _arms(self, training: bool) -> list[Arm]:
        """List the networks; recomputing happens in training only."""
        return [
            arm
            for arm in self.group.arms
            if training or not arm.name.startswith('with_cp')
        ]

    def _reset(self) -> None:
        if self.setting.mode == 'compiled':
            torch._dynamo.reset()

    def _program(
        self, arm: Arm, training: bool, folded: bool = False
    ) -> Program:
        model = arm.build(folded)
        return make_program(model, self.setting, training, self.channels)

    def _time(
        self, programs: Mapping[Name, Program], first: Name
    ) -> tuple[dict[Name, list[float]], float]:
        """Time programs in turns, and the first twice: what chance does."""
        steps: dict[Name | str, Step] = {
            name: program.step for name, program in programs.items()
        }
        steps[AGAIN] = programs[first].step
        seconds = interleave(steps, self.repeats)
        chance = difference(min(seconds[first]), min(seconds[AGAIN]))
        return {name: seconds[name] for name in programs}, chance

    def _peak(self, program: Program) -> int:
        # The first step takes more, for buffers that stay.
        program.step()
        return peak_bytes(program.model, program.step, self.setting.device)

    def _add_times(
        self,
        quantity: str,
        seconds: Mapping[str, list[float]],
        baseline: list[float],
        chance: float,
    ) -> None:
        """Note times, with their noise."""
        self._add(
            quantity,
            {name: min(taken) for name, taken in seconds.items()},
            {n: compare(s, baseline, chance) for n, s in seconds.items()},
        )

    def _add(
        self,
        quantity: str,
        values: Mapping[str, float],
        ratios: Mapping[str, Ratio] | None = None,
    ) -> None:
        """Note a quantity of some networks, the baseline first."""
        first, *_ = values
        for name, value in values.items():
            ratio = None
            if name != first:
                ratio = (
                    ratios[name] if ratios else Ratio(value / values[first])
                )
            self.figures.append(
                Figure(
                    self.group.name,
                    str(self.setting),
                    name,
                    quantity,
                    value,
                    ratio,
                    self.point,
                )
            )
