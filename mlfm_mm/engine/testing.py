"""From the options of ``tools/test.py`` to a config ready to run."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.dist import is_main_process
from mmengine.evaluator import DumpResults
from mmengine.fileio import dump
from mmengine.registry import METRICS
from mmengine.runner import Runner
from torch import Tensor

from .errors import UsageError
from .hosts import Host, find_host
from .kinds import WHOLE_WEIGHTS, find_datasets, is_kind, set_hook
from .options import load_config, set_common_options
from .outputs import check_file, check_folder, check_names
from .pictures import draw_predictions
from .weights import check_checkpoint

PICKLES = ('.pkl', '.pickle')
# What averages the views of an image, where a config has no ``tta_model``.
TTA_MODELS = dict(
    mmpretrain=dict(type='AverageClsScoreTTA'),
    mmdet=dict(
        type='DetTTAModel',
        tta_cfg=dict(nms=dict(type='nms', iou_threshold=0.5), max_per_img=100),
    ),
)
METRIC_FILES = ('.json', '.yaml', '.yml', *PICKLES)


class DumpPredictions(DumpResults):
    """Save predictions, of which a label is that of the highest score.

    mmpretrain's mean over the views of a test with augmentation keeps the
    label of the first view.
    """

    def process(self, data_batch: dict, predictions: Sequence[dict]) -> None:
        """Take a batch's predictions."""
        for found in (p for p in predictions if isinstance(p, dict)):
            label, score = found.get('pred_label'), found.get('pred_score')
            if not isinstance(score, Tensor):
                continue
            # A view would be saved with the scores of its whole batch.
            found['pred_score'] = score.clone()
            if not isinstance(label, Tensor):
                continue
            # A head for several labels may tell none, or more.
            if label.shape == (1,) and score.ndim == 1:
                found['pred_label'] = score.argmax(0, keepdim=True)
        super().process(data_batch, predictions)


def prepare_testing(
    config: str,
    checkpoint: str,
    *,
    memory: bool = False,
    work_dir: str | None = None,
    out: str | None = None,
    out_item: str | None = None,
    show_dir: str | None = None,
    show: bool = False,
    tta: bool = False,
    cfg_options: dict | None = None,
    launcher: str = 'none',
    timeout: float | None = None,
    allow_partial: bool = False,
) -> Config:
    """Read a config and apply the options to it.

    Args:
        config (str): The config file.
        checkpoint (str): The weights, a file or an address.
        memory (bool): Whether to add memory to the config. Defaults to False.
        work_dir (str, optional): Where to write. Defaults to None, which
            leaves it to the config.
        out (str, optional): Where to save predictions or metrics. Defaults
            to None.
        out_item (str, optional): What ``out`` holds, ``'pred'`` or
            ``'metrics'``. Defaults to None, predictions.
        show_dir (str, optional): Where to save images with the predictions
            drawn on them. Defaults to None.
        show (bool): Whether to show them in a window. Defaults to False.
        tta (bool): Whether to test with augmentation. Defaults to False.
        cfg_options (dict, optional): Dotted keys of the config and their
            values. Defaults to None.
        launcher (str): What started the processes: ``'none'``,
            ``'pytorch'``, ``'slurm'`` or ``'mpi'``. Defaults to ``'none'``.
        timeout (float, optional): Seconds without a step after which several
            processes are ended. Defaults to None, 540.
        allow_partial (bool): Whether to test with weights of another
            network, as far as they fit. Defaults to False.

    Returns:
        Config: The config, complete and checked.

    Raises:
        UsageError: If the options or the config cannot work.
    """
    cfg = load_config(config, cfg_options, memory)
    host = find_host(cfg)
    check_checkpoint(checkpoint, 'checkpoint')
    check_output(out, out_item, host)
    set_common_options(cfg, host, config, work_dir, launcher, timeout)
    if not cfg.get('test_dataloader') or not cfg.get('test_evaluator'):
        raise UsageError(
            f'{config} does not say how to test: it needs '
            'test_dataloader and test_evaluator'
        )
    cfg.load_from = checkpoint
    cfg.resume = False
    set_hook(
        cfg, WHOLE_WEIGHTS, allow_partial=allow_partial, only_resume=False
    )
    if tta and (show or show_dir) and host.scope == 'mmpretrain':
        raise UsageError(
            '--tta cannot be had with --show or --show-dir in mmpretrain, '
            'which draws one picture an image: leave one of them out'
        )
    if show_dir:
        check_folder(Path(show_dir))
    if show or show_dir:
        draw_predictions(cfg, host, show, show_dir)
    if tta:
        use_tta(cfg, host)
    if out and out_item != 'metrics' and host.scope == 'mmseg':
        write_segmentations(cfg, out)
    return cfg


def run_test(
    runner: Runner, out: str | None = None, out_item: str | None = None
) -> dict[str, float]:
    """Test, and save what is asked for.

    Args:
        runner (Runner): The runner of a prepared config.
        out (str, optional): As for :func:`prepare_testing`.
        out_item (str, optional): As for :func:`prepare_testing`.

    Returns:
        dict[str, float]: The metrics.

    Raises:
        UsageError: If masks would be written over each other.
    """
    scope = runner.cfg.default_scope
    if out and out_item != 'metrics' and scope == 'mmseg':
        check_names(runner.test_dataloader.dataset, out)
    elif out and out_item != 'metrics':
        runner.test_evaluator.metrics.append(predictions_to(out, scope))
    metrics = runner.test()
    if out and out_item == 'metrics' and is_main_process():
        # YAML has no plain form of NumPy's numbers.
        plain = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in metrics.items()
        }
        dump(plain, out)
    return metrics


def predictions_to(out: str, scope: str) -> DumpResults:
    """Make the metric that saves predictions.

    Args:
        out (str): The file.
        scope (str): The host's. A detector's masks are saved as run lengths,
            and without the ground truth, as by the host's own script: plain
            ones need hundreds of megabytes a picture.

    Returns:
        DumpResults: The metric.
    """
    if scope != 'mmdet':
        return DumpPredictions(out)
    kind = 'mmdet.DumpDetResults'
    return METRICS.build(dict(type=kind, out_file_path=out))


def check_output(out: str | None, out_item: str | None, host: Host) -> None:
    """Refuse an output that could only fail after the whole test.

    Args:
        out (str, optional): The file or folder.
        out_item (str, optional): ``'pred'`` or ``'metrics'``.
        host (Host): The host; segmentors write a folder of predictions.

    Raises:
        UsageError: If ``out`` is missing, has the wrong ending or cannot be
            written.
    """
    if out is None:
        if out_item is not None:
            raise UsageError('--out-item says what --out holds: add --out')
        return
    endings: tuple[str, ...] = PICKLES
    if out_item == 'metrics':
        endings = METRIC_FILES
    elif host.scope == 'mmseg':
        if out.endswith(METRIC_FILES):
            raise UsageError(
                f'--out {out}: predictions of a segmentor are written to a '
                'folder; add --out-item metrics for a file of these'
            )
        check_folder(Path(out))
        return
    if not out.endswith(endings):
        raise UsageError(
            f'--out {out}: {out_item or "pred"} can be written to '
            f'a file that ends in {", ".join(endings)}'
        )
    check_file(Path(out))


def use_tta(cfg: Config, host: Host) -> None:
    """Test with augmentation, by the config's recipe or by flipping.

    Args:
        cfg (Config): The config, changed in place.
        host (Host): The host; some have a recipe by default.

    Raises:
        UsageError: If there is no recipe.
    """
    datasets = find_datasets(cfg)
    if host.scope in TTA_MODELS:
        cfg.setdefault('tta_model', deepcopy(TTA_MODELS[host.scope]))
        *others, pack = deepcopy(list(datasets[0]['pipeline']))
        if host.scope == 'mmdet' and 'meta_keys' in pack:
            # By which boxes are mirrored back.
            pack['meta_keys'] = (*pack['meta_keys'], 'flip', 'flip_direction')
        # Each image is seen mirrored and plain.
        flips = [dict(type='RandomFlip', prob=prob) for prob in (1.0, 0.0)]
        views = dict(type='TestTimeAug', transforms=[flips, [pack]])
        cfg.setdefault('tta_pipeline', [*others, views])
    missing = [k for k in ('tta_model', 'tta_pipeline') if k not in cfg]
    if missing:
        raise UsageError(
            f'--tta: the config has no {" and no ".join(missing)}; inherit '
            f'them from a dataset and a default_runtime.py of {host.scope}'
        )
    for dataset in datasets:
        dataset['pipeline'] = cfg.tta_pipeline
    wrapper = ConfigDict(cfg.tta_model, module=cfg.model)
    if cfg.model.get('data_preprocessor'):
        # A Runner would give it the config's, which replaces the model's own.
        wrapper.setdefault('data_preprocessor', cfg.model.data_preprocessor)
    cfg.model = wrapper


def write_segmentations(cfg: Config, folder: str) -> None:
    """Let the metric write each prediction as an image.

    Args:
        cfg (Config): The config, changed in place.
        folder (str): Where to write.

    Raises:
        UsageError: If no metric of the config can write predictions.
    """
    writers = iou_metrics_of(cfg)
    if not writers:
        raise UsageError(
            f'--out {folder}: only IoUMetric writes predictions; add it to '
            'test_evaluator, or use --out FILE.json --out-item metrics'
        )
    for metric in writers:
        metric.update(output_dir=folder, keep_results=True)


def iou_metrics_of(cfg: Config) -> list[dict]:
    """List the settings of the ``IoUMetric`` in a segmentor's test."""
    # Not above: a classifier needs no mmseg.
    from mmseg.evaluation import IoUMetric

    found = cfg.test_evaluator
    return [
        metric
        for metric in ([found] if isinstance(found, dict) else found)
        if is_kind(metric, IoUMetric, METRICS, 'mmseg')
    ]
