"""One picture in, one picture out, for both hosts."""

from __future__ import annotations

from pathlib import Path

from .errors import UsageError
from .hosts import find_host
from .options import check_checkpoint, load_config


def run_demo(
    image: str, config: str, checkpoint: str, out: str, device: str = 'cpu'
) -> str:
    """Predict, and draw the prediction on the picture.

    Args:
        image (str): The picture.
        config (str): The config of a classifier or of a segmentor.
        checkpoint (str): Its weights.
        out (str): The picture to write.
        device (str): Where to compute. Defaults to ``'cpu'``.

    Returns:
        str: The prediction in words.

    Raises:
        UsageError: A file does not exist or ``out`` is no picture.
    """
    cfg = load_config(config)
    host = find_host(cfg)
    check_checkpoint(checkpoint, 'checkpoint')
    if not Path(image).is_file():
        raise UsageError(f'there is no picture {image!r}: check the path')
    if Path(out).suffix.lower() not in ('.png', '.jpg', '.jpeg'):
        raise UsageError(f'--out {out}: give a file that ends in .png or .jpg')
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    run = _classify if host.scope == 'mmpretrain' else _segment
    return run(image, config, checkpoint, out, device)


def _classify(
    image: str, config: str, checkpoint: str, out: str, device: str
) -> str:
    import mmcv
    from mmpretrain import ImageClassificationInferencer
    from mmpretrain.visualization import UniversalVisualizer

    infer = ImageClassificationInferencer(
        config, pretrained=checkpoint, device=device
    )
    (sample,) = infer(image, return_datasamples=True)
    visualizer = UniversalVisualizer()
    visualizer.visualize_cls(
        mmcv.imread(image, channel_order='rgb'),
        sample,
        classes=infer.classes,
        draw_gt=False,
        out_file=out,
    )
    label = int(sample.pred_label)
    name = infer.classes[label] if infer.classes else f'class {label}'
    return f'{name}: {float(sample.pred_score[label]):.3f}'


def _segment(
    image: str, config: str, checkpoint: str, out: str, device: str
) -> str:
    import mmcv
    from mmseg.apis import inference_model, init_model, show_result_pyplot

    model = init_model(config, checkpoint, device=device)
    # Upright, as its camera noted, for the network and for who looks at it.
    picture = mmcv.imread(image)
    result = inference_model(model, picture)
    show_result_pyplot(
        model,
        picture,
        result,
        opacity=0.5,
        draw_gt=False,
        with_labels=False,
        show=False,
        out_file=out,
    )
    labels = result.pred_sem_seg.data.flatten()
    counts = labels.bincount().float() / len(labels)
    names = model.dataset_meta['classes']
    top = counts.topk(min(3, len(counts)))
    pairs = zip(top.values.tolist(), top.indices.tolist(), strict=True)
    return ', '.join(f'{names[i]} {100 * share:.0f} %' for share, i in pairs)
