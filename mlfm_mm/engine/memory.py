"""Memory for the config of any host, whatever neck it has."""

from __future__ import annotations

from copy import deepcopy
from inspect import signature

from mmengine.config import Config
from mmengine.registry import MODELS as ROOT_MODELS
from torch import nn

from ..models import MLFMNeck
from ..registry import MODELS, bare_name
from .errors import UsageError
from .kinds import dicts, holders, kind_of

NECK = f'mlfm_mm.{MLFMNeck.__name__}'
OF_TIMM = 'TimmClassifier'
RETRIEVER = (
    ". Give a retriever image_encoder=dict(type='ImageClassifier', "
    f"backbone=..., neck=dict(type='{NECK}'), _delete_=True)"
)


def add_memory(config: Config, **options: object) -> Config:
    """Put the memory in front of a config's neck, if it has one.

    Args:
        config (Config): The config of any host, which is not changed.
        **options: Arguments of :class:`mlfm_mm.MLFMNeck`, but for ``neck``.

    Returns:
        Config: A copy whose model has memory: the memory alone where the
        model has no neck, around its neck, or as the first of its necks. If
        there is memory already, nothing changes.

    Raises:
        TypeError: If MLFMNeck knows no such option.
        ValueError: If the value of an option is wrong, if it would not reach
            the memory that is there already, or if the model has no backbone
            of its own or takes no neck.

    Example:
        >>> neck = dict(type='FPN', num_outs=5)
        >>> net = dict(type='FCOS', backbone=dict(type='ResNet'), neck=neck)
        >>> add_memory(Config(dict(model=net))).model.neck
        {'type': 'mlfm_mm.MLFMNeck', 'neck': {'type': 'FPN', 'num_outs': 5}}
    """
    if 'neck' in options:
        raise UsageError(
            "neck: behind the memory stays the config's own neck; change it "
            'in the config'
        )
    memory = dict(type=NECK, **options)
    MODELS.build(memory)  # raises an error if the options are wrong
    config = deepcopy(config)
    model = config.get('model') or {}
    if _has_memory(model):
        if options:
            raise UsageError(
                'the model has memory already, which would not get the '
                f'options {", ".join(options)}: set them in its config'
            )
        return config
    if bare_name(model) == OF_TIMM:
        model['type'] = f'mlfm_mm.{OF_TIMM}'  # the host's takes no neck
    elif not model.get('backbone'):
        raise UsageError(_no_backbone(model))
    _check_takes_neck(model, config.get('default_scope'))
    neck = model.get('neck')
    if isinstance(neck, list | tuple):
        model['neck'] = type(neck)([memory, *neck])
    else:
        model['neck'] = memory if neck is None else dict(memory, neck=neck)
    return config


def check_kept(model: nn.Module, settings: object) -> None:
    """Refuse a model whose host has replaced the memory, or left it out.

    mmpose does so where a head has settings of its older form.

    Args:
        model (nn.Module): The model.
        settings (object): What it was built from.

    Raises:
        UsageError: Its neck should be the memory, and it has none.

    Example:
        >>> check_kept(nn.Flatten(), dict(neck=dict(type='MLFMNeck')))
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: the neck of Flatten should be
        MLFMNeck, but its host has put another one, or none, in this place, as
        mmpose does where a head has input_transform, input_index or extra:
        give such a head its newer form, and write the other neck as that of
        the memory: neck=dict(type='mlfm_mm.MLFMNeck', neck=...)
    """
    neck = settings.get('neck') if isinstance(settings, dict) else None
    # Elsewhere a config may name a network that is not a part, as a teacher.
    if not _names_memory(neck):
        return
    if not any(isinstance(m, MLFMNeck) for m in model.modules()):
        raise UsageError(
            f'the neck of {type(model).__name__} should be '
            f'{MLFMNeck.__name__}, but its host has put another one, or none, '
            'in this place, as mmpose does where a head has input_transform, '
            'input_index or extra: give such a head its newer form, and write '
            'the other neck as that of the memory: '
            f"neck=dict(type='{NECK}', neck=...)"
        )


def _names_memory(settings: object) -> bool:
    return any(bare_name(d) == MLFMNeck.__name__ for d in dicts(settings))


def _has_memory(model: dict) -> bool:
    """Tell whether a network that is no teacher has memory."""
    networks = [part for _, part in _networks(model)]
    # A student may be named by a file.
    rest = {key: part for key, part in model.items() if 'teacher' not in key}
    return any(_names_memory(_own(part)) for part in networks or [rest])


def _networks(model: dict) -> list[tuple[str, dict]]:
    """List path and settings of the networks, without teachers beside them."""
    found = list(holders(model, 'backbone', 'model'))
    return [(path, net) for path, net in found if 'teacher' not in path]


def _own(model: dict) -> dict:
    """Leave out what stands beside the network, such as a teacher."""
    if not model.get('backbone'):
        return model
    return {key: model.get(key) for key in ('backbone', 'neck')}


def _check_takes_neck(model: dict, scope: str | None) -> None:
    kind = kind_of(model, ROOT_MODELS, scope)
    if isinstance(kind, type):
        taken = signature(kind).parameters.values()
        if not any(p.name == 'neck' or p.kind == p.VAR_KEYWORD for p in taken):
            raise UsageError(
                f'{kind.__name__} takes no neck: it has no place for memory'
            )


def _no_backbone(model: dict) -> str:
    """Say where the backbone is, if not in its place."""
    if not model:
        return 'the config has no model to which memory could be added'
    kind = bare_name(model) or 'the model'
    wrapped = _networks(model)
    if not wrapped:
        told = (
            f'{kind} has no backbone to which memory could be added: it has '
            f'{", ".join(key for key in model if key != "type")}'
        )
        return told + (RETRIEVER if kind.endswith('Retriever') else '')
    parts = ' and '.join(
        f'{path} ({bare_name(part) or "no type"})' for path, part in wrapped
    )
    first = wrapped[0][0]
    return (
        f'{kind} has no backbone of its own, but around {parts}: add the '
        f"memory there by hand, as {first}.neck=dict(type='{NECK}', "
        f'neck=...) with the neck that {first} has, if any'
    )
