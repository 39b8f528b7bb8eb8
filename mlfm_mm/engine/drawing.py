"""Show a prediction for a picture, in words and drawn on it."""

from __future__ import annotations

import mmcv
import numpy as np
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer

# How many classes of a picture are named.
NAMED = 3


def show_classes(
    pixels: np.ndarray, sample: BaseDataElement, meta: dict, out: str
) -> str:
    """Write the predicted classes of a picture on it.

    Args:
        pixels (np.ndarray): RGB of shape (H, W, 3).
        sample (DataSample): The prediction of a head with one label, with
            several, or with several tasks.
        meta (dict): May have the names of the classes.
        out (str): The picture to write.

    Returns:
        str: The prediction in words.
    """
    if 'pred_label' in sample:
        lines = [name_classes(sample, meta)]
    else:
        lines = [
            f'{task}: {name_classes(found, {})}'
            for task, found in sorted(sample.items())
            if isinstance(found, BaseDataElement)
        ]
    size = max(10, min(pixels.shape[:2]) // 20)
    visualizer = Visualizer()
    visualizer.set_image(pixels)
    visualizer.draw_texts(
        '\n'.join(lines),
        np.array([size, size], float),
        colors='white',
        font_sizes=size,
        vertical_alignments='top',
        bboxes=dict(facecolor='black', alpha=0.5, boxstyle='round'),
    )
    mmcv.imwrite(mmcv.rgb2bgr(visualizer.get_image()), out)
    return '\n'.join(lines)


def name_classes(sample: BaseDataElement, meta: dict) -> str:
    """Name the classes that a head predicts, with their scores.

    Args:
        sample (DataSample): A prediction.
        meta (dict): May have the names of the classes.

    Returns:
        str: One class, several, or that there is none.
    """
    scores = sample.pred_score
    labels = [int(label) for label in sample.pred_label]
    pairs = [
        f'{name_of(i, meta)}: {float(scores[i]):.3f}'
        for i in labels or [int(scores.argmax())]
    ]
    if not labels:
        return f'no class is sure enough; the likeliest is {pairs[0]}'
    return ', '.join(pairs)


def show_segments(
    pixels: np.ndarray, sample: BaseDataElement, meta: dict, out: str
) -> str:
    """Draw the segments of a picture on it.

    Args:
        pixels (np.ndarray): RGB of shape (H, W, 3).
        sample (SegDataSample): The prediction, of one channel or several.
        meta (dict): May have the names of the classes and their colours.
        out (str): The picture to write.

    Returns:
        str: The prediction in words.
    """
    from mmseg.visualization import SegLocalVisualizer

    # A mask of one channel comes in floating point.
    labels = sample.pred_sem_seg.data.long()
    sample.pred_sem_seg.data = labels
    shares = labels.flatten().bincount() / labels.numel()
    count = max(len(shares), len(meta.get('classes', [])))
    names = [name_of(i, meta) for i in range(count)]
    visualizer = SegLocalVisualizer(alpha=0.5)
    palette = meta.get('palette', [])
    visualizer.dataset_meta = dict(
        classes=names, palette=palette + random_palette(count)[len(palette) :]
    )
    visualizer.add_datasample(
        '', pixels, sample, draw_gt=False, with_labels=False, out_file=out
    )
    top = shares.topk(min(NAMED, len(shares)))
    pairs = zip(top.values.tolist(), top.indices.tolist(), strict=True)
    return ', '.join(f'{names[i]} {100 * share:.0f} %' for share, i in pairs)


def name_of(label: int, meta: dict) -> str:
    """Name a class, by its number where its name is not known.

    Args:
        label (int): The number.
        meta (dict): May have the names of the classes.

    Returns:
        str: The name.

    Example:
        >>> name_of(1, dict(classes=['cat', 'dog'])), name_of(1, {})
        ('dog', 'class 1')
    """
    names = meta.get('classes', [])
    return names[label] if label < len(names) else f'class {label}'


def random_palette(count: int) -> list[list[int]]:
    """Choose random colours, the same in every call.

    Args:
        count (int): How many.

    Returns:
        list[list[int]]: RGB from 0 to 255.

    Example:
        >>> len(random_palette(3)), random_palette(3) == random_palette(3)
        (3, True)
    """
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (count, 3)).tolist()
