"""Save an exported network with the metadata that running it takes."""

from __future__ import annotations

import json
import warnings
from importlib.util import find_spec
from pathlib import Path

import torch

from ...datasets.unreadable import warn
from ...engine import UsageError
from ...engine.drawing import name_of, random_palette
from ...engine.normalization import normalization_of
from ..sizes import input_size
from ..trained import Trained
from .graph import Exported, reason_of, remedy_of
from .preparation import preparation_of

FORMATS = ('onnx', 'pt2')
# What writing and checking an .onnx file takes.
OF_ONNX = ('onnx', 'onnxscript', 'onnxruntime')
METADATA = 'metadata.json'  # its name within a .pt2 file


def describe(network: Trained, exported: Exported) -> dict[str, str]:
    """Collect the metadata that running the file takes.

    Args:
        network (Trained): The network.
        exported (Exported): Its graph.

    Returns:
        dict[str, str]: JSON by name: ``task``, which is segmentation,
        classification, or multi-label classification, whose scores are
        sigmoids; names of the ``classes`` and their ``palette``; ``mean``,
        ``std`` and ``order`` of the channels; ``size``, the height and width
        that pictures are resized to, null for their own; ``keep_ratio``,
        ``crop_pct`` and ``antialias``, see :class:`.Preparation`; and
        ``size_divisor``, of which sizes must be multiples.
    """
    prepared = preparation_of(network.cfg, network.segments)
    if prepared.left_out:
        warn(
            f'{network.cfg.filename}: the metadata leave out '
            f"{', '.join(prepared.left_out)} of the config's test, and so "
            'will what runs the file: do the same to pictures before, or '
            'expect other scores'
        )
    normalization = normalization_of(network.model.data_preprocessor)
    count = exported.classes
    names = [name_of(i, network.meta) for i in range(count)]
    facts = dict(
        task=_task(network),
        classes=names,
        palette=network.meta.get('palette') or random_palette(count),
        mean=[round(value, 4) for value in normalization.mean],
        std=[round(value, 4) for value in normalization.std],
        order=normalization.order,
        size=exported.size,
        # A mask is of the whole picture, of which nothing may be cut off.
        keep_ratio=prepared.keep_ratio and not network.segments,
        crop_pct=prepared.crop_pct,
        antialias=prepared.antialias,
        size_divisor=exported.divisor,
    )
    if not network.segments:
        facts.update(size=exported.size or _size(network))
    return {key: json.dumps(value) for key, value in facts.items()}


def _size(network: Trained) -> tuple[int, int] | None:
    """Get the size of pictures, None where the test takes them as they are."""
    try:
        return input_size(network.cfg)
    except UsageError:
        return None


def _task(network: Trained) -> str:
    """Name what the logits are for."""
    if network.segments:
        return 'segmentation'
    if has_several_labels(network):
        return 'multi-label classification'
    return 'classification'


def has_several_labels(network: Trained) -> bool:
    """Tell whether a picture may have several labels: scores are sigmoids."""
    if network.segments:
        return False
    # Not at the top: a segmentor needs no mmpretrain.
    from mmpretrain.models.heads import MultiLabelClsHead

    head = getattr(network.model, 'head', None)  # timm's whole networks
    return isinstance(head, MultiLabelClsHead)


def check_packages(path: Path) -> None:
    """Refuse a file that cannot be written for lack of a package.

    Args:
        path (Path): The file.

    Raises:
        UsageError: A package is not installed.
    """
    needed = OF_ONNX if path.suffix == '.onnx' else ()
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise UsageError(
            f'{path.name} needs {", ".join(missing)}, not installed here: pip '
            "install 'mlfm_mm[export]', or try --format pt2"
        )


def save(exported: Exported, facts: dict[str, str], path: Path) -> None:
    """Save a graph with its metadata.

    Args:
        exported (Exported): The graph.
        facts (dict[str, str]): From :func:`describe`.
        path (Path): The file; its suffix selects the format.

    Raises:
        UsageError: The format is unknown, or cannot hold this network.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == '.pt2':
        text = json.dumps(facts)
        torch.export.save(exported.program, path, extra_files={METADATA: text})
    elif path.suffix == '.onnx':
        _save_onnx(exported, facts, path)
    else:
        raise UsageError(f'{path}: give a file that ends in .onnx or .pt2')


def _save_onnx(exported: Exported, facts: dict[str, str], path: Path) -> None:
    try:
        with warnings.catch_warnings():
            # The exporter uses an API of pytree that PyTorch deprecates.
            warnings.simplefilter('ignore', FutureWarning)
            program = torch.onnx.export(
                exported.program,
                input_names=['image'],
                output_names=['logits'],
                dynamo=True,
                verbose=False,
            )
    except Exception as error:  # the exporter's own, of many lines
        raise UsageError(
            f'{path.name} cannot be written: '
            f'{remedy_of(exported, "--format pt2")} ({reason_of(error)})'
        ) from error
    assert program is not None
    for node in program.model.graph:
        node.metadata_props.clear()  # stack traces with paths of this machine
    program.model.metadata_props.update(facts)
    program.save(str(path), external_data=False)
