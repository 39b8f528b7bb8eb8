"""The networks to try, by their source."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import Tensor, nn

from mlfm_mm import MLFMNeck, add_memory
from tests.models.zoo_of_backbones import SERVED, build, named, title

# Hosts whose models can be called with an image alone.
WHOLE = ('mmpretrain', 'mmseg')
OTHER_HOSTS = ('mmdet', 'mmrotate', 'mmyolo', 'mmpose')
# Settings of a backbone that do not change its architecture.
NO_ARCHITECTURE = ('init_cfg', 'pretrained', 'frozen_stages', 'norm_eval')


@dataclass(frozen=True)
class Network:
    """A network to try.

    Args:
        kind (str): The class of the backbone, or the family.
        example (str): The config or the name of the network.
        build (Callable): Builds it, with memory or as it is.
    """

    kind: str
    example: str
    build: Callable[[bool], nn.Module]


def shipped(host: str) -> Iterator[Network]:
    """Find the architectures among the configs of a host.

    Args:
        host (str): Name of its package.

    Yields:
        Network: A whole model, once for each architecture.
    """
    package = import_module(f'{host}.models').__path__[0]
    folder = Path(package).parent / '.mim' / 'configs'
    seen: set[str] = set()
    for path in sorted(folder.rglob('*.py')):
        if any(part.startswith('_') for part in path.parts):
            continue
        try:
            model = Config.fromfile(str(path)).get('model')
        except Exception:  # broken, or only to be read with other packages
            continue
        backbone = model and find_backbone(model)
        if backbone is None:
            continue
        key_by = key_of if host in WHOLE else kinds_of
        key = key_by(model, backbone)
        if key in seen:
            continue
        seen.add(key)
        kind, whole = backbone['type'], model['type']
        if whole not in ('ImageClassifier', 'EncoderDecoder'):
            kind += f' in {whole}'
        yield Network(kind, path.stem, from_config(host, model))


def find_backbone(model: dict) -> dict | None:
    """Find the backbone, also that of a retriever or a student."""
    inner = model.get('detector') or {}
    encoder = model.get('backbone') or model.get('image_encoder')
    encoder = encoder or inner.get('backbone')
    first = encoder[0] if isinstance(encoder, list) else encoder
    return first if isinstance(first, dict) and 'type' in first else None


def key_of(model: dict, backbone: dict) -> str:
    """Make a key of the architecture."""
    own = {k: v for k, v in backbone.items() if k not in NO_ARCHITECTURE}
    head = model.get('head') or {}
    parts = [model['type'], own, model.get('neck'), head.get('type')]
    return json.dumps(parts, sort_keys=True, default=str)


def kinds_of(model: dict, backbone: dict) -> str:
    """Make a key of the kind of network, which comes in many sizes."""
    neck = model.get('neck') or []
    necks = neck if isinstance(neck, list | tuple) else [neck]
    parts = [part['type'] for part in (model, backbone, *necks)]
    return ' '.join(map(str, parts))


def from_config(host: str, model: dict) -> Callable[[bool], nn.Module]:
    """Build a model of a host."""

    def build(memory: bool) -> nn.Module:
        cfg = copy.deepcopy(model)
        backbone = find_backbone(cfg) or {}
        if 'pretrained' in backbone:
            backbone['pretrained'] = None
        if memory:
            # The fused kernels do not run on meta tensors.
            cfg = add_memory(Config(dict(model=cfg)), kernels=False).model
        # A type inherited from another package has a scope already.
        kind = cfg['type'] if '.' in cfg['type'] else f'{host}.{cfg["type"]}'
        with DefaultScope.overwrite_default_scope(host):
            built = MODELS.build(dict(cfg, type=kind))
        return built if host in WHOLE else Features(built)

    return build


class Features(nn.Module):
    """A model without its head, which needs more than images in a detector.

    Args:
        model (nn.Module): A model with ``extract_feat``.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model: Any = model

    def forward(self, image: Tensor, mode: str) -> Any:
        """Return the output of the neck."""
        return self.model.extract_feat(image)


class Plain(nn.Module):
    """A raw network as the backbone of a model.

    Args:
        build (Callable): Builds the network.
        memory (bool): Whether it gets memory.
    """

    def __init__(self, build: Callable[[], nn.Module], memory: bool) -> None:
        super().__init__()
        self.backbone = build()
        self.neck = MLFMNeck(kernels=False) if memory else nn.Identity()

    def forward(self, image: Tensor, mode: str) -> Any:
        """Return the output of the backbone, through the neck."""
        return self.neck(self.backbone(image))


def of_torchvision() -> Iterator[Network]:
    """List each classifier of torchvision.

    Yields:
        Network: A raw network with its classifier.
    """
    from torchvision import models

    for name in models.list_models(module=models):
        build = partial(models.get_model, name, weights=None)
        module = models.get_model_builder(name).__module__
        yield Network(module.rpartition('.')[2], name, partial(Plain, build))


def of_timm() -> Iterator[Network]:
    """List one network of each family of timm that returns feature maps.

    Yields:
        Network: A raw network.
    """
    import timm

    families: dict[tuple[str, str], str] = {}
    for name in timm.list_models(exclude_filters='test_*'):
        module = timm.model_entrypoint(name).__module__.rpartition('.')[2]
        family = re.sub(r'\d+', '', name.split('_')[0])
        families.setdefault((module, family), name)
    for (module, _), name in families.items():
        build = partial(timm.create_model, name, features_only=True)
        yield Network(module, name, partial(Plain, build))


def listed(host: str) -> Iterator[Network]:
    """List a small backbone of each class that a host registers.

    Args:
        host (str): Name of its package.

    Yields:
        Network: A backbone alone.
    """
    for entry in SERVED:
        if entry.host == host:
            make = partial(build, entry)
            yield Network(named(entry), title(entry), partial(Plain, make))


SOURCES: dict[str, Callable[[], Iterator[Network]]] = {
    'classes of mmpretrain': partial(listed, 'mmpretrain'),
    'classes of mmseg': partial(listed, 'mmseg'),
    'mmpretrain': partial(shipped, 'mmpretrain'),
    'mmseg': partial(shipped, 'mmseg'),
    **{host: partial(shipped, host) for host in OTHER_HOSTS},
    'torchvision': of_torchvision,
    'timm': of_timm,
}
