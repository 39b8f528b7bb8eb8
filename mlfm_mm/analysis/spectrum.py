"""The power of features by spatial frequency, stage by stage."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import fmean, stdev

import torch
from torch import Tensor, nn

from ..models.taps import Tap, find_taps
from .complexity import backbone_of, memory_of
from .samples import Sample
from .tables import Column, Table
from .trained import Trained

PICTURE = 'picture'  # stage zero
BINS = 12
# Frequencies up to this are low: the low-low wavelet band holds about these.
CUTOFF = 0.5


@dataclass
class StageSpectrum:
    """The spectrum of one stage's features, over many pictures.

    Frequencies are fractions of the map's Nyquist frequency: 1 alternates
    from pixel to pixel.

    Args:
        stage (str): The module of the backbone, or :data:`PICTURE`.
        density (list[Tensor]): For each picture, the mean power in each of
            :data:`BINS` rings of frequency, relative to the mean over all
            frequencies without the DC component; NaN where a ring is empty,
            as in small maps.
        low (list[float]): For each picture, the share of power up to
            :data:`CUTOFF`, without the DC component; none of maps of one
            pixel.
        mean (list[float]): For each picture, the share of the DC component
            in all power.
    """

    stage: str
    density: list[Tensor] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    mean: list[float] = field(default_factory=list)

    def add(self, maps: Tensor) -> None:
        """Add a picture's features.

        Args:
            maps (Tensor): Maps of shape (C, H, W).
        """
        power = dct(maps.double()).square().sum(0)
        frequency = frequencies(*power.shape).to(power.device)
        total, constant = float(power.sum()), float(power[0, 0])
        power[0, 0] = 0
        varying = max(total - constant, 1e-30)
        if power.numel() > 1:  # else nothing varies
            low = power[frequency <= CUTOFF].sum()
            self.low.append(float(low) / varying)
        self.mean.append(constant / max(total, 1e-30))
        inside = frequency.lt(1) & frequency.gt(0)
        index = (frequency[inside] * BINS).long()
        rings, sizes = power.new_zeros(2, BINS)
        rings.index_add_(0, index, power[inside])
        sizes.index_add_(0, index, torch.ones_like(power[inside]))
        level = varying / (power.numel() - 1) if power.numel() > 1 else 1.0
        self.density.append((rings / sizes / level).cpu())

    def curve(self) -> list[float | None]:
        """Average the pictures' densities, ring by ring."""
        means = torch.stack(self.density).mean(0).tolist()
        return [None if math.isnan(value) else value for value in means]


def dct(maps: Tensor) -> Tensor:
    """Transform maps by the orthonormal discrete cosine transform, type 2.

    It extends a map by mirroring; the Fourier transform, which extends it
    periodically, would see a jump at the edges.

    Args:
        maps (Tensor): Maps of shape (C, H, W).

    Returns:
        Tensor: Coefficients of the same shape and the same sum of squares.

    Example:
        >>> dct(torch.ones(1, 2, 2)).round().int().tolist()
        [[[2, 0], [0, 0]]]
    """
    height, width = (_cosines(n).to(maps) for n in maps.shape[1:])
    return height @ maps @ width.T


def _cosines(size: int) -> Tensor:
    k, i = torch.arange(size).double(), torch.arange(size).double() + 0.5
    waves = torch.cos(torch.outer(k, i) * math.pi / size)
    waves *= math.sqrt(2 / size)
    waves[0] *= math.sqrt(0.5)
    return waves


def frequencies(height: int, width: int) -> Tensor:
    """Compute the radial frequency of each coefficient of :func:`dct`.

    Args:
        height (int): Of the map.
        width (int): Of the map.

    Returns:
        Tensor: Fractions of the Nyquist frequency, (height, width).

    Example:
        >>> frequencies(1, 4)
        tensor([[0.0000, 0.2500, 0.5000, 0.7500]], dtype=torch.float64)
    """
    rows = torch.arange(height).double() / height
    columns = torch.arange(width).double() / width
    return torch.hypot(rows[:, None], columns[None])


def stages_of(model: nn.Module) -> list[Tap]:
    """List the taps of a backbone: where units sit, or would sit.

    Args:
        model (nn.Module): A network, with memory or without.

    Returns:
        list[Tap]: Those of the neck, or those that it would choose.
    """
    neck = memory_of(model)
    if neck is not None:
        return neck.taps
    return find_taps(backbone_of(model))[0]


def measure_spectrum(
    network: Trained,
    samples: Iterable[Sample],
    before: list[StageSpectrum] | None = None,
) -> list[StageSpectrum]:
    """Measure the spectra of a network's features.

    At a tap with a unit, the feature is what the unit returns to the trunk.

    Args:
        network (Trained): The network, with memory or without.
        samples (Iterable[Sample]): Pictures.
        before (list[StageSpectrum], optional): The spectra of another
            checkpoint of the network, to add these to. Defaults to None.

    Returns:
        list[StageSpectrum]: The picture's, and one for each stage.
    """
    taps = stages_of(network.model)
    names = (PICTURE, *(tap.module for tap in taps))
    found = before or [StageSpectrum(name) for name in names]
    picture, *spectra = found
    backbone = backbone_of(network.model)
    with torch.no_grad(), ExitStack() as hooks:
        for tap, spectrum in zip(taps, spectra, strict=True):
            # It runs after the unit's own hook.
            hook = backbone.get_submodule(tap.module).register_forward_hook(
                lambda module, inputs, x, tap=tap, to=spectrum: to.add(
                    tap.as_maps(x)[0].detach()
                )
            )
            hooks.enter_context(hook)
        for sample in samples:
            picture.add(sample.x[0])
            network.model.extract_feat(sample.x)
    return found


def tabulate(spectra: dict[str, list[StageSpectrum]], what: str) -> Table:
    """Tabulate the shares of low frequencies.

    Args:
        spectra (dict): From :func:`measure_spectrum`, by network.
        what (str): Which pictures were used, for the caption.

    Returns:
        Table: A row for each stage and network, in the stage order of the
        first network.
    """
    rows = [
        dict(
            stage=stage.stage,
            network=name,
            low=fmean(stage.low) if stage.low else None,
            low_deviation=stdev(stage.low) if len(stage.low) > 1 else 0.0,
            mean=fmean(stage.mean),
        )
        for name, stages in spectra.items()
        for stage in stages
    ]
    order = [stage.stage for stage in next(iter(spectra.values()))]
    # Those that the first network lacks come last.
    rows.sort(key=lambda row: [*order, row['stage']].index(row['stage']))
    share = '{:.1%}'.format
    columns = [
        Column('stage', 'stage'),
        Column('network', 'network'),
        Column('low', f'below {CUTOFF:g}', share),
        Column('low_deviation', 'deviation', share),
        Column('mean', 'mean', share),
    ]
    caption = (
        f'{what}. Below {CUTOFF:g}: the share of power at frequencies up to '
        f'{CUTOFF:g} of the highest that a map can show, without the mean of '
        'the maps; its deviation from picture to picture; mean: the share of '
        'that mean in all power.'
    )
    return Table(columns, rows, caption)


def curves(
    spectra: dict[str, list[StageSpectrum]],
) -> dict[str, dict[str, list[float | None]]]:
    """Collect the spectra's curves, by network and stage.

    Args:
        spectra (dict): From :func:`measure_spectrum`, by network.

    Returns:
        dict: Densities of power in :data:`BINS` rings of frequency; None
        where a ring is empty.
    """
    return {
        name: {stage.stage: stage.curve() for stage in stages}
        for name, stages in spectra.items()
    }
