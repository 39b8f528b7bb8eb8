"""Measure a group of networks in a setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from mlfm_mm.analysis.complexity import dummy, measure_complexity

from .figures import Figure
from .memory import peak_bytes, saved_bytes
from .networks import Arm, Group, memory_of
from .setting import Program, Setting, Step, make_program
from .timing import Ratio, compare, difference, interleave
from .traffic import count_kernels, count_traffic

# Times, then what is counted and needs no quiet machine.
ASPECTS = ('infer', 'folded', 'train', 'memory', 'traffic', 'size')

# A network by name, and whether its norms are folded.
Key = tuple[str, bool]


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
        # All are built here: a wrong option is told before any is measured.
        memories = [memory_of(arm.build()) for arm in group.arms]
        channels = (memory.image_channels for memory in memories if memory)
        self.channels = next(channels, 3)

    def fill(self) -> list[Figure]:
        """Measure all that was asked for."""
        for training in (False, True):
            self._run(training)
            if 'traffic' in self.aspects:
                self._count(training)
        if 'size' in self.aspects:
            size = self.setting.image_size
            sizes = {
                arm.name: measure_complexity(arm.build(), size, self.channels)
                for arm in self.group.arms
            }
            self._add('params', {n: size.params for n, size in sizes.items()})
            self._add('macs', {n: size.macs for n, size in sizes.items()})
        return self.figures

    def _arms(self, training: bool) -> list[Arm]:
        """List the networks; recomputing happens in training only."""
        return [
            arm
            for arm in self.group.arms
            if training or not arm.name.startswith('with_cp')
        ]

    def _run(self, training: bool) -> None:
        """Measure time and memory of inference or of training steps."""
        phase = 'train' if training else 'infer'
        folds = 'folded' in self.aspects and not training
        times = phase in self.aspects or folds
        if not times and 'memory' not in self.aspects:
            return
        torch._dynamo.reset()
        programs = {
            (arm.name, folded): make_program(
                arm.build(folded), self.setting, training, self.channels
            )
            for folded in ([False, True] if folds else [False])
            for arm in self._arms(training)
        }
        if times:
            self._time(phase, programs)
        if 'memory' in self.aspects:
            self._weigh(
                phase, {k[0]: p for k, p in programs.items() if not k[1]}
            )

    def _time(self, phase: str, programs: Mapping[Key, Program]) -> None:
        """Time programs in turns, and the first twice: what chance does."""
        first, again = next(iter(programs)), ('again', False)
        steps: dict[Key, Step] = {k: p.step for k, p in programs.items()}
        seconds = interleave({**steps, again: steps[first]}, self.repeats)
        chance = difference(min(seconds[first]), min(seconds[again]))

        def note(quantity: str, folded: bool, base: Key) -> None:
            keys = [key for key in programs if key[1] == folded]
            ratios = {
                key[0]: compare(seconds[key], seconds[base], chance)
                for key in keys
            }
            values = {key[0]: min(seconds[key]) for key in keys}
            self._add(quantity, values, ratios)

        note(phase, False, first)
        if (first[0], True) in programs:
            note('folded', True, (first[0], True))
            note('deployed', True, first)

    def _weigh(self, phase: str, programs: Mapping[str, Program]) -> None:
        """Measure the memory of programs."""
        peaks = {}
        for name, program in programs.items():
            # The first step takes more, for buffers that stay.
            program.step()
            peaks[name] = peak_bytes(
                program.model, program.step, self.setting.device
            )
        self._add(f'peak_{phase}', peaks)
        if phase == 'train':
            saved = {
                name: saved_bytes(program.model, program.forward)
                for name, program in programs.items()
            }
            self._add('saved', saved)

    def _count(self, training: bool) -> None:
        """Count launches and bytes, or the kernels of a compiler."""
        phase = 'train' if training else 'infer'
        setting = self.setting
        image = setting.batch, self.channels, *setting.image_size
        models = {arm.name: arm.build() for arm in self._arms(training)}
        if setting.mode == 'compiled':
            kernels = {}
            for name, model in models.items():
                model.to(setting.device)
                images = dummy(model, *image[:2], setting.image_size)
                kernels[name] = count_kernels(model, images, training)
            self._add(f'kernels_{phase}', kernels)
            return
        counts = {
            name: count_traffic(model, image, training, setting.device)
            for name, model in models.items()
        }
        launches = {name: count.launches for name, count in counts.items()}
        self._add(f'launches_{phase}', launches)
        moved = {name: count.bytes for name, count in counts.items()}
        self._add(f'bytes_{phase}', moved)

    def _add(
        self,
        quantity: str,
        values: Mapping[str, float],
        ratios: Mapping[str, Ratio] | None = None,
    ) -> None:
        """Note a quantity of some networks, the baseline first."""
        first, *_ = values
        found = ratios or {
            n: Ratio(v / values[first]) for n, v in values.items()
        }
        place = self.group.name, str(self.setting)
        self.figures += [
            Figure(
                *place,
                name,
                quantity,
                value,
                None if name == first else found[name],
                self.point,
            )
            for name, value in values.items()
        ]
