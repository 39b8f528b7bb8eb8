"""List the files of a config's data sets, whatever is wrong with them."""

from __future__ import annotations

from copy import deepcopy
from inspect import signature

from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS

from .folder_layout import FolderError
from .inspection import Finding
from .readable import ReadableDataset
from .unreadable import ReadsWhatItCan, policies_in

WITH_CHECKS = (ReadsWhatItCan, ReadableDataset)
SPLITS = ('train', 'val', 'test')


def build_datasets(
    cfg: Config,
) -> tuple[dict[str, BaseDataset], list[Finding]]:
    """Build the data sets of a config, each once.

    Args:
        cfg (Config): A config of a host.

    Returns:
        tuple[dict[str, BaseDataset], list[Finding]]: Data sets by split, where
        the test set is left out if it is the validation set; and which splits
        cannot be found, and why.

    Raises:
        FolderError: None can be found, or the config names none.
    """
    configs: dict[str, dict] = {}
    for split in SPLITS:
        loader = cfg.get(f'{split}_dataloader')
        # A test set is often the validation set, but neither is training's.
        if loader and loader.dataset != configs.get('val'):
            configs[split] = loader.dataset
    if not configs:
        raise FolderError(
            'the config has no data: set train_dataloader, val_dataloader or '
            'test_dataloader'
        )
    built: dict[str, BaseDataset] = {}
    absent: list[Finding] = []
    for split, config in configs.items():
        try:
            dataset = DATASETS.build(without_checks(config))
            if not hasattr(dataset, 'full_init'):
                raise FolderError(
                    f'{type(dataset).__name__} does not list its images, as '
                    "MMEngine's BaseDataset does"
                )
            dataset.full_init()
            built[split] = dataset
        except (AssertionError, FolderError, OSError) as error:
            absent.append(('not there', split, str(error)))
    if not built:
        raise FolderError(absent[0][2])
    return built, absent


def without_checks(config: dict) -> dict:
    """Let a data set list its files, whatever is wrong with them."""
    config = deepcopy(config)
    for key in ('dataset', 'datasets'):
        inner = config.get(key, [])
        inner = inner if isinstance(inner, list) else [inner]
        if inner:
            changed = [without_checks(part) for part in inner]
            config[key] = changed if key == 'datasets' else changed[0]
    if 'pipeline' in config:
        config['pipeline'] = []
    if 'times' in config:
        config['times'] = 1  # of RepeatDataset
    kind = config.get('type')
    kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    if isinstance(kind, type) and issubclass(kind, WITH_CHECKS):
        config['unreadable'] = 'skip'
        if 'check' in signature(kind).parameters:
            config['check'] = False
    return config


def list_infos(dataset: BaseDataset) -> list[dict]:
    """List the images of a data set, and the files that it leaves out."""
    left_out = [
        dict(img_path=path)
        for _, policy in policies_in(dataset)
        for path in policy.left_out
    ]
    infos = [
        # Data sets in a ConcatDataset count their own.
        dict(dataset.get_data_info(index), sample_idx=index)
        for index in range(len(dataset))
    ]
    return left_out + infos


def turns_pictures(cfg: Config) -> bool:
    """Check whether the first split's pipeline applies EXIF orientations."""
    loaders = (cfg.get(f'{split}_dataloader') for split in SPLITS)
    first = next(loader.dataset for loader in loaders if loader)
    return any(
        t.get('color_type', 'color') == 'color'
        for t in transforms_of(first)
        if 'LoadImage' in str(t.get('type'))
    )


def transforms_of(config: dict) -> list[dict]:
    """List the transforms of a data set, and of those that it wraps."""
    wrapped = [config.get('dataset'), *config.get('datasets', [])]
    inner = [t for part in wrapped if part for t in transforms_of(part)]
    return [*config.get('pipeline', []), *inner]
