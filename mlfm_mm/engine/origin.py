"""Which network the weights of a checkpoint belong to."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any


def origin(checkpoint: Mapping[str, object]) -> str:
    """Name the network that a checkpoint belongs to, as far as is known.

    Args:
        checkpoint (dict): Its ``meta`` may name the run and the config.

    Returns:
        str: The name of the run that wrote it, and its network.

    Example:
        >>> cfg = "model = dict(type='X', neck=dict(type='Y', update='add'))"
        >>> name = 'resnet18_in100_20260101_120000'
        >>> origin(dict(meta=dict(experiment_name=name, cfg=cfg)))
        "resnet18_in100 (X, neck=Y(update='add'))"
    """
    meta = checkpoint.get('meta')
    meta = meta if isinstance(meta, dict) else {}
    name = re.sub(r'_\d{8}_\d{6}$', '', str(meta.get('experiment_name', '')))
    model = _model_of(str(meta.get('cfg', '')))
    parts = [str(model['type'])] if 'type' in model else []
    for key in ('backbone', 'neck'):
        if isinstance(model.get(key), dict):
            parts.append(f'{key}={_describe(model[key])}')
    network = f' ({", ".join(parts)})' if parts else ''
    return f'{name}{network}'.strip() or 'a network that they do not name'


def _model_of(config: str) -> dict:
    """Read the model of a config's text, which is never run as code."""
    try:
        lines = ast.parse(config).body
        values = {
            line.targets[0].id: line.value
            for line in lines
            if isinstance(line, ast.Assign)
            and isinstance(line.targets[0], ast.Name)
        }
        return _literal(values['model'])
    except (SyntaxError, ValueError, KeyError):
        return {}


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Call):
        # MMEngine writes no call but dict(...).
        return {str(k.arg): _literal(k.value) for k in node.keywords}
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {}
    return ast.literal_eval(node)


def _describe(settings: dict) -> str:
    options = [
        f'{key}={value!r}'
        for key, value in settings.items()
        if key not in ('type', '_scope_') and isinstance(value, str | int)
    ]
    return f'{settings.get("type")}({", ".join(options)})'
