"""Grad-CAM: where a network looks for a class, behind its memory units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from ..engine import UsageError
from ..engine.drawing import name_of
from ..models.taps import Tap
from .complexity import backbone_of
from .export.file import has_several_labels
from .export.graph import Logits
from .samples import Sample
from .spectrum import stages_of
from .tables import Column, Table
from .trained import Trained


@dataclass(frozen=True)
class Focus:
    """Where a network looked in a picture.

    Args:
        network (str): Its name.
        picture (str): The picture's.
        layer (str): The module of the backbone whose output was weighted.
        label (str): The class.
        score (float): Its probability; in segmentation its share of the
            predicted pixels.
        cam (np.ndarray): The map (H, W), from 0 to 1.
    """

    network: str
    picture: str
    layer: str
    label: str
    score: float
    cam: np.ndarray

    def row(self) -> dict[str, str | float]:
        """Summarize it as the row of a table.

        Returns:
            dict: Names and score, and ``area``, the share of the picture
            where the map is above 0.5.
        """
        return dict(
            picture=self.picture,
            network=self.network,
            layer=self.layer,
            label=self.label,
            score=self.score,
            area=float((self.cam > 0.5).mean()),
        )


def find_class(network: Trained, name: str | None) -> int | None:
    """Find a class by its name, a part of it, or its number.

    Args:
        network (Trained): The network, whose classes they are.
        name (str, optional): The name, a part of it, or the number.

    Returns:
        int | None: The index of the class; None without a name.

    Raises:
        UsageError: There is no such class.
    """
    if name is None:
        return None
    names = [str(n) for n in network.meta.get('classes', [])]
    if name in names:
        return names.index(name)
    if name.isdigit() and (not names or int(name) < len(names)):
        return int(name)
    # An exact name comes before a longer one that holds it.
    parts = [n.lower().split(', ') for n in names]
    found = [i for i, words in enumerate(parts) if name.lower() in words]
    found += [i for i, n in enumerate(names) if name.lower() in n.lower()]
    if not found:
        raise UsageError(
            f'--class {name}: {network.name} knows no such class; it knows '
            f'{", ".join(names) or "numbers only"}'
        )
    return found[0]


def look(
    network: Trained,
    sample: Sample,
    label: int | None = None,
    layer: str | None = None,
) -> Focus:
    """Compute the Grad-CAM of a class.

    Args:
        network (Trained): A classifier or a segmentor.
        sample (Sample): The picture.
        label (int, optional): The class. Defaults to None, the predicted
            one, in segmentation that of most pixels.
        layer (str, optional): A module of the backbone. Defaults to None,
            the last tap; with memory, the output of its unit is used.

    Returns:
        Focus: The map, with its class and score.

    Raises:
        UsageError: pytorch-grad-cam is not installed, the network returns no
            logits, or there is no such module or class.
    """
    taps = {tap.module: tap for tap in stages_of(network.model)}
    layer = layer or list(taps)[-1]
    module = _submodule(network.model, layer)
    logits = Logits(network).eval()
    with torch.no_grad():
        (scores,) = logits(sample.x)
    several = has_several_labels(network)
    scores = scores.sigmoid() if several else scores.softmax(0)
    shares = scores
    if network.segments:
        seen = scores.argmax(0)
        shares = seen.flatten().bincount(minlength=len(scores)) / seen.numel()
    label = int(shares.argmax()) if label is None else label
    if label >= len(shares):
        raise UsageError(
            f'{network.name} has {len(shares)} classes: there is no number '
            f'{label}'
        )
    where = torch.ones(())
    if network.segments:
        mask = seen == label
        where = mask if mask.any() else ~mask
    return Focus(
        network.name,
        sample.name,
        layer,
        name_of(label, network.meta),
        float(shares[label]),
        _grad_cam(logits, module, taps.get(layer), sample.x, label, where),
    )


def _submodule(model: nn.Module, layer: str) -> nn.Module:
    try:
        return backbone_of(model).get_submodule(layer)
    except AttributeError as error:
        raise UsageError(
            f'--layer {layer}: the backbone has no such module; units sit '
            f'behind {", ".join(tap.module for tap in stages_of(model))}'
        ) from error


def _grad_cam(
    logits: nn.Module,
    module: nn.Module,
    tap: Tap | None,
    x: Tensor,
    label: int,
    where: Tensor,
) -> np.ndarray:
    """Compute the map of a class; ``where`` is the mask of its pixels."""
    try:
        from pytorch_grad_cam import GradCAM
    except ImportError as error:
        raise UsageError(
            'pytorch-grad-cam is not installed: pip install '
            "'mlfm_mm[analysis]' or pip install grad-cam"
        ) from error
    # Its hook runs after the neck's, and so sees the output of the unit.
    as_maps = None if tap is None else tap.as_maps
    with GradCAM(logits, [module], as_maps) as cam:
        # A frozen backbone has no gradients but those of its input.
        (found,) = cam(
            x.clone().requires_grad_(),
            [lambda scores: (scores[label] * where).sum()],
        )
    return np.asarray(found)


def tabulate(found: Sequence[Focus]) -> Table:
    """Tabulate the scores, and the areas of the maps.

    Args:
        found (Sequence[Focus]): From :func:`look`.

    Returns:
        Table: A row for each picture and network.
    """
    share = '{:.1%}'.format
    columns = [
        Column('picture', 'picture'),
        Column('network', 'network'),
        Column('layer', 'layer'),
        Column('label', 'class'),
        Column('score', 'score', share),
        Column('area', 'area', share),
    ]
    caption = (
        'Score: probability of the class, in segmentation its share of the '
        'pixels; area: the share of the picture where the map is above half.'
    )
    return Table(columns, [focus.row() for focus in found], caption)


def draw(
    samples: Sequence[Sample], found: Sequence[Sequence[Focus]], title: str
) -> Figure:
    """Draw where networks looked, a row for each picture.

    Args:
        samples (Sequence[Sample]): The pictures.
        found (Sequence[Sequence[Focus]]): For each picture, the results of
            each network.
        title (str): The title of the figure.

    Returns:
        Figure: The drawing.
    """
    columns = 1 + len(found[0])
    height, width = samples[0].picture.shape[:2]
    cell = 2.6 * min(1.4, height / width) + 0.3
    figure = Figure(
        figsize=(2.6 * columns + 0.7, cell * len(samples) + 0.7),
        dpi=100,
        layout='constrained',
    )
    figure.suptitle(title, fontsize=12)
    grid = figure.subplots(len(samples), columns, squeeze=False)
    for row, sample, foci in zip(grid, samples, found, strict=True):
        for axes in row:
            axes.imshow(sample.picture)
            axes.set_axis_off()
        row[0].set_title(sample.name, fontsize=9)
        for axes, focus in zip(row[1:], foci, strict=True):
            shown = axes.imshow(
                focus.cam,
                cmap='inferno',
                alpha=0.55,
                vmin=0,
                vmax=1,
                # A network of another input size saw the same picture.
                extent=axes.images[0].get_extent(),
            )
            label = focus.label.partition(',')[0]
            axes.set_title(
                f'{focus.network}: {label}, {focus.score:.0%}', fontsize=9
            )
    bar = figure.colorbar(shown, ax=grid, shrink=0.6, aspect=30, pad=0.02)
    bar.set_label('Grad-CAM, from the least to the most', fontsize=8)
    bar.ax.tick_params(labelsize=8)
    return figure
