"""Measure a group of networks in a setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import torch

from mlfm_mm.analysis.complexity import measure_complexity

from .figures import COLUMNS
from .memory import peak_bytes, saved_bytes
from .networks import Arm, Group
from .setting import Program, Setting, make_program
from .timing import interleave, noise_of
from .traffic import count_kernels, count_traffic

# Times, then what is counted and needs no quiet machine.
ASPECTS = ('infer', 'folded', 'train', 'memory', 'traffic', 'size')


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
        self.place = group.name, point, str(setting)
        # Built here: a wrong option fails before anything is measured.
        self.channels = group.image_channels()
        # Values of the networks by quantity, and how far ratios may be off.
        self.values: dict[str, pd.Series] = {}
        self.noise: dict[str, pd.Series] = {}

    def fill(self) -> pd.DataFrame:
        """Measure all that was asked for.

        Returns:
            DataFrame: The figures, with ``COLUMNS``.
        """
        for phase in ('infer', 'train'):
            # Recomputing happens in training only.
            arms = [
                arm
                for arm in self.group.arms
                if phase == 'train' or not arm.name.startswith('with_cp')
            ]
            self._run(phase, arms)
            if 'traffic' in self.aspects:
                self._count(phase, arms)
        if 'size' in self.aspects:
            for arm in self.group.arms:
                size = measure_complexity(
                    arm.build(), self.setting.image_size, self.channels
                )
                self._note(arm, params=size.params, macs=size.macs)
        return self._figures()

    def _note(self, arm: Arm, **found: float) -> None:
        for quantity, value in found.items():
            self.values.setdefault(quantity, {})[arm.name] = value

    def _run(self, phase: str, arms: list[Arm]) -> None:
        """Measure time and memory of inference or of training steps."""
        quantities = [phase]
        if phase == 'infer' and 'folded' in self.aspects:
            quantities.append('folded')
        timed = not {*quantities}.isdisjoint(self.aspects)
        if not timed and 'memory' not in self.aspects:
            return
        torch._dynamo.reset()
        size = self.setting.image_size
        programs = {
            (quantity, arm.name): make_program(
                arm.build(size if quantity == 'folded' else None),
                self.setting,
                phase == 'train',
                self.channels,
            )
            for quantity in quantities
            for arm in arms
        }
        if timed:
            self._time(programs)
        for arm in arms if 'memory' in self.aspects else []:
            self._weigh(phase, arm, programs[phase, arm.name])

    def _time(self, programs: Mapping[tuple[str, str], Program]) -> None:
        """Time programs in turns, the first one twice to see the noise."""
        first = next(iter(programs))
        steps = {key: program.step for key, program in programs.items()}
        steps['again', ''] = steps[first]
        seconds = interleave(steps, self.repeats)
        for quantity in {quantity for quantity, _ in programs}:
            self.values[quantity] = seconds.min()[quantity]
            base = quantity, first[1]
            self.noise[quantity] = noise_of(seconds, base)[quantity]
        if ('folded', first[1]) in programs:
            self.values['deployed'] = self.values['folded']
            self.noise['deployed'] = noise_of(seconds, first)['folded']

    def _weigh(self, phase: str, arm: Arm, program: Program) -> None:
        """Measure the memory of a program."""
        # The first step also allocates buffers that stay.
        program.step()
        peak = peak_bytes(program.model, program.step, self.setting.device)
        self._note(arm, **{f'peak_{phase}': peak})
        if phase == 'train':
            self._note(arm, saved=saved_bytes(program.model, program.forward))

    def _count(self, phase: str, arms: list[Arm]) -> None:
        """Count launches and bytes, or the kernels of a compiler."""
        setting, training = self.setting, phase == 'train'
        image = setting.batch, self.channels, *setting.image_size
        for arm in arms:
            model = arm.build()
            if setting.mode == 'compiled':
                count = count_kernels(model, image, training, setting.device)
                self._note(arm, **{f'kernels_{phase}': count})
                continue
            traffic = count_traffic(model, image, training, setting.device)
            found = dict(launches=traffic.launches, bytes=traffic.bytes)
            self._note(arm, **{f'{k}_{phase}': v for k, v in found.items()})

    def _figures(self) -> pd.DataFrame:
        """Put the values in a table, with ratios to the first network."""
        values = pd.DataFrame(self.values).reindex(
            [arm.name for arm in self.group.arms]
        )
        base = values.iloc[0].copy()
        if 'deployed' in base:
            base['deployed'] = base['infer']
        ratios = values / base
        ratios.iloc[0] = None
        noise = pd.DataFrame(self.noise).reindex_like(values).fillna(0.0)
        noise.iloc[0] = 0.0
        figures = pd.DataFrame(
            dict(
                value=values.T.stack(),
                ratio=ratios.T.stack(),
                noise=noise.T.stack(),
            )
        ).dropna(subset='value')
        figures = figures.rename_axis(['quantity', 'arm']).reset_index()
        network, point, setting = self.place
        return figures.assign(network=network, point=point, setting=setting)[
            [*COLUMNS]
        ]
