"""Draw docs/how_it_works.png: the memory beside the trunk.

The bands are those that the units of a ResNet-18 read, computed from a real
photograph (scikit-learn's sample ``china.jpg``):

    python .dev_scripts/draw_how_it_works.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from sklearn.datasets import load_sample_image

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mlfm_mm import LowPass
from mlfm_mm.engine.arguments import make_parser

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / 'docs' / 'how_it_works.png'
# The taps of a ResNet-18: trunk module, stride, level of the image band.
TAPS = (
    ('stem', 2, 1),
    ('pool', 4, 2),
    ('stage 1', 4, 2),
    ('stage 2', 8, 3),
    ('stage 3', 16, 4),
    ('stage 4', 32, 5),
)
BLUE, GREEN, GREY = '#2f6db3', '#3a8f5c', '#666666'
STEP, WIDTH = 2.0, 1.5


def bands() -> list[np.ndarray]:
    """Low-pass a photograph up to five times, each scaled back to [0, 1]."""
    photograph = load_sample_image('china.jpg')[50:370, 160:480] / 255
    x = torch.from_numpy(photograph).permute(2, 0, 1)[None]
    low_pass, images = LowPass(), []
    for level in range(6):
        # Every level doubles a constant.
        images.append((x / 2**level)[0].permute(1, 2, 0).numpy())
        x = low_pass(x)
    return images


def box(ax: Axes, x: float, y: float, text: str, color: str) -> None:
    """Put a labelled box, centred."""
    ax.add_patch(
        FancyBboxPatch(
            (x - WIDTH / 2 + 0.1, y - 0.24),
            WIDTH - 0.2,
            0.48,
            boxstyle='round,pad=0.02',
            facecolor='white',
            edgecolor=color,
            linewidth=1.6,
        )
    )
    ax.text(x, y, text, ha='center', va='center', fontsize=10, color=color)


def arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], color: str
) -> None:
    """Draw an arrow."""
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle='-|>',
            mutation_scale=11,
            linewidth=1.4,
            color=color,
            shrinkA=0,
            shrinkB=0,
        )
    )


def draw_picture(ax: Axes, image: np.ndarray, x: float, label: str) -> None:
    """Show a band above its unit."""
    half = 0.62
    extent = (x - half, x + half, 3.05, 3.05 + 2 * half)
    ax.imshow(image, extent=extent, interpolation='nearest', zorder=2)
    ax.text(x, 4.38, label, ha='center', va='bottom', fontsize=9, color=GREY)


def draw(ax: Axes) -> None:
    """Draw everything."""
    images = bands()
    draw_picture(ax, images[0], 0, 'image')
    arrow(ax, (-0.3, 3.0), (-0.3, 0.35), GREY)
    box(ax, 0, 0.05, 'input', GREY)
    previous = None
    for i, (name, stride, level) in enumerate(TAPS, start=1):
        x = i * STEP
        draw_picture(ax, images[level], x, f'$I_{level}$, 1/{stride}')
        box(ax, x, 1.75, 'LFMU', BLUE)
        box(ax, x, 0.05, name, GREEN)
        arrow(ax, (x, 3.0), (x, 2.05), BLUE)
        arrow(ax, (x - 0.18, 0.35), (x - 0.18, 1.45), GREEN)
        arrow(ax, (x + 0.18, 1.45), (x + 0.18, 0.35), BLUE)
        arrow(ax, (x - STEP + WIDTH / 2, 0.05), (x - 0.68, 0.05), GREEN)
        if previous is not None:
            arrow(ax, (x - STEP + WIDTH / 2, 1.75), (x - 0.68, 1.75), BLUE)
            if level > previous:
                middle = x - STEP / 2 + 0.02
                ax.text(
                    middle, 1.86, 'LL', ha='center', fontsize=9, color=BLUE
                )
        previous = level
    end = (len(TAPS) + 0.5) * STEP
    arrow(ax, (end - STEP / 2 + WIDTH / 2, 0.05), (end + 0.1, 0.05), GREEN)
    ax.text(end + 0.2, 0.05, 'head', va='center', fontsize=10, color=GREEN)
    ax.text(
        STEP - 0.85,
        1.75,
        'memory',
        ha='right',
        va='center',
        fontsize=11,
        color=BLUE,
    )
    ax.text(STEP - 0.3, 0.9, '$x$', ha='right', va='center', color=GREEN)
    ax.text(STEP + 0.3, 0.9, "$x'$", va='center', color=BLUE)
    ax.set_xlim(-1, end + 1)
    ax.set_ylim(-0.4, 4.75)
    ax.set_aspect('equal')
    ax.axis('off')


def main() -> None:
    """Write the picture."""
    parser = make_parser(__doc__)
    parser.add_argument(
        '--out',
        type=Path,
        default=TARGET,
        metavar='FILE',
        help='the picture to write (default: docs/how_it_works.png)',
    )
    out = parser.parse_args().out
    figure = Figure(figsize=(13, 4.6))
    draw(figure.subplots())
    figure.savefig(out, dpi=110, bbox_inches='tight', facecolor='white')
    print(f'wrote {out}')


if __name__ == '__main__':
    main()
