"""From the options of ``tools/test.py`` to a config ready to run."""

from argparse import Namespace
from collections.abc import Iterator
from copy import deepcopy

from mmengine.config import Config, ConfigDict
from mmengine.dist import is_main_process
from mmengine.evaluator import DumpResults
from mmengine.fileio import dump
from mmengine.runner import Runner

from .errors import UsageError
from .hosts import Host, find_host
from .options import check_checkpoint, load_config, set_common_options

PICKLES = ('.pkl', '.pickle')
METRIC_FILES = ('.json', '.yaml', '.yml', *PICKLES)


def prepare_testing(args: Namespace) -> Config:
    """Read the config and merge the options of the command line.

    Args:
        args (Namespace): The options of ``tools/test.py``.

    Returns:
        Config: The config, complete and checked.

    Raises:
        UsageError: If the options or the config cannot work.
    """
    cfg = load_config(args.config, args.cfg_options)
    host = find_host(cfg)
    check_checkpoint(args.checkpoint, 'checkpoint')
    check_output(args, host)
    set_common_options(cfg, args, host)
    if not cfg.get('test_dataloader') or not cfg.get('test_evaluator'):
        raise UsageError(
            f'{args.config} does not say how to test: it needs '
            'test_dataloader and test_evaluator'
        )
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if args.show or args.show_dir:
        draw_predictions(cfg, host, args)
    if args.tta:
        use_tta(cfg, host)
    if dumps_predictions(args) and host.scope == 'mmseg':
        write_segmentations(cfg, args.out)
    return cfg


def run_test(runner: Runner, args: Namespace) -> dict[str, float]:
    """Test, and save what ``--out`` asks for.

    Args:
        runner (Runner): The runner of a prepared config.
        args (Namespace): The options of ``tools/test.py``.

    Returns:
        dict[str, float]: The metrics.
    """
    classifies = runner.cfg.default_scope == 'mmpretrain'
    if classifies and dumps_predictions(args):
        runner.test_evaluator.metrics.append(DumpResults(args.out))
    metrics = runner.test()
    if args.out and args.out_item == 'metrics' and is_main_process():
        dump(metrics, args.out)
    return metrics


def dumps_predictions(args: Namespace) -> bool:
    """Say whether ``--out`` is to hold predictions and not metrics."""
    return args.out is not None and args.out_item != 'metrics'


def check_output(args: Namespace, host: Host) -> None:
    """Refuse an output that could only fail after the whole test.

    Args:
        args (Namespace): Has ``out`` and ``out_item``.
        host (Host): The host; segmentors write a folder of predictions.

    Raises:
        UsageError: If ``--out`` is missing or has the wrong ending.
    """
    if args.out is None:
        if args.out_item is not None:
            raise UsageError('--out-item says what --out holds: add --out')
        return
    endings: tuple[str, ...] = PICKLES
    if not dumps_predictions(args):
        endings = METRIC_FILES
    elif host.scope == 'mmseg':
        return
    if not args.out.endswith(endings):
        raise UsageError(
            f'--out {args.out}: {args.out_item or "pred"} can be written to '
            f'a file that ends in {", ".join(endings)}'
        )


def draw_predictions(cfg: Config, host: Host, args: Namespace) -> None:
    """Turn on the hook that draws predictions.

    Args:
        cfg (Config): The config, changed in place.
        host (Host): The host that the config is written for.
        args (Namespace): Has ``show`` and ``show_dir``.
    """
    hooks = cfg.setdefault('default_hooks', ConfigDict())
    hook = hooks.setdefault('visualization', ConfigDict())
    hook.setdefault('type', host.visualization_hook)
    hook.update({host.draw_switch: True, 'show': args.show, 'interval': 1})
    visualizer = cfg.setdefault('visualizer', ConfigDict())
    visualizer.setdefault('type', host.visualizer)
    visualizer.setdefault('vis_backends', [dict(type='LocalVisBackend')])
    if args.show_dir and host.scope == 'mmseg':
        visualizer.save_dir = args.show_dir
    elif args.show_dir:
        hook.out_dir = args.show_dir


def use_tta(cfg: Config, host: Host) -> None:
    """Test with augmentation, by the config's recipe or by flipping.

    Args:
        cfg (Config): The config, changed in place.
        host (Host): The host; classifiers have a recipe by default.

    Raises:
        UsageError: If a segmentor's config has no recipe.
    """
    if host.scope == 'mmpretrain':
        cfg.setdefault('tta_model', dict(type='AverageClsScoreTTA'))
        pipeline = cfg.test_dataloader.dataset.pipeline
        cfg.setdefault('tta_pipeline', flip_pipeline(pipeline))
    missing = [k for k in ('tta_model', 'tta_pipeline') if k not in cfg]
    if missing:
        raise UsageError(
            f'--tta: the config has no {" and no ".join(missing)}; inherit '
            'them from a dataset and a default_runtime.py of mmseg'
        )
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.model = ConfigDict(cfg.tta_model, module=cfg.model)


def flip_pipeline(pipeline: list[dict]) -> list[dict]:
    """Make a test pipeline see each image plain and mirrored.

    Args:
        pipeline (list[dict]): Transforms, of which the last packs.

    Returns:
        list[dict]: The transforms of the test with augmentation.
    """
    *others, pack = deepcopy(list(pipeline))
    flips = [dict(type='RandomFlip', prob=prob) for prob in (1.0, 0.0)]
    return [*others, dict(type='TestTimeAug', transforms=[flips, [pack]])]


def write_segmentations(cfg: Config, folder: str) -> None:
    """Let the metric write each prediction as an image.

    Args:
        cfg (Config): The config, changed in place.
        folder (str): Where to write.

    Raises:
        UsageError: If no metric of the config can write predictions.
    """
    writers = [m for m in evaluators(cfg) if m['type'].endswith('IoUMetric')]
    if not writers:
        raise UsageError(
            f'--out {folder}: only IoUMetric writes predictions; add it to '
            'test_evaluator, or use --out FILE.json --out-item metrics'
        )
    for metric in writers:
        metric.update(output_dir=folder, keep_results=True)


def evaluators(cfg: Config) -> Iterator[dict]:
    """Go through the test metrics, one or a list of them."""
    found = cfg.test_evaluator
    yield from ([found] if isinstance(found, dict) else found)
