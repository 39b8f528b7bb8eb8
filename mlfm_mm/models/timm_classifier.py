"""mmpretrain's classifiers of timm, with memory."""

from __future__ import annotations

from collections import OrderedDict
from importlib.util import find_spec

from torch import Tensor

from ..registry import MODELS
from .adoption import BackboneAware
from .taps import find_taps

__all__: list[str] = []

if find_spec('mmpretrain') is not None:
    from mmpretrain.models import TimmClassifier as Plain

    __all__ += ['TimmClassifier']

    @MODELS.register_module()
    class TimmClassifier(Plain):
        """A whole network of timm, head and all, with memory inside.

        mmpretrain's own class passes all its arguments to
        ``timm.create_model``, which has no ``neck``. Checkpoints of timm and
        of the network without memory load unchanged.

        Args:
            *args: Of ``timm.create_model``.
            neck (dict): Config of :class:`mlfm_mm.MLFMNeck`.
            **kwargs: Of ``mmpretrain.TimmClassifier``.

        Raises:
            ValueError: ``with_cp`` would recompute units.

        Example:
            >>> import torch
            >>> memory = dict(type='mlfm_mm.MLFMNeck')
            >>> net = TimmClassifier('resnet18', num_classes=5, neck=memory)
            >>> [tap.module for tap in net.neck.taps]
            ['act1', 'layer1', 'layer2', 'layer3', 'layer4']
            >>> net(torch.rand(2, 3, 64, 64)).shape
            torch.Size([2, 5])
        """

        def __init__(
            self, *args: object, neck: dict, **kwargs: object
        ) -> None:
            super().__init__(*args, **kwargs)
            memory = MODELS.build(neck)
            if not isinstance(memory, BackboneAware):
                raise TypeError(
                    f'TimmClassifier has no place for {neck["type"]}: its '
                    'neck is MLFMNeck, beside the network'
                )
            self.neck = memory
            memory.on_adoption(self, self.model, [memory])
            if self.with_cp:
                self._check_recomputing()
            self._register_load_state_dict_pre_hook(self._keep_memory)

        def _check_recomputing(self) -> None:
            """Refuse a network that recomputes parts with units in them."""
            found = []
            for enabled in (False, True):
                self.model.set_grad_checkpointing(enabled)
                taps, _ = find_taps(self.model)
                found.append([tap.module for tap in taps])
            if found[0] != found[1]:
                raise ValueError(
                    'with_cp=True lets timm recompute parts of this network '
                    'that hold units: give it to the memory instead, '
                    'neck=dict(..., with_cp=True)'
                )

        @staticmethod
        def _remove_state_dict_prefix(
            self: TimmClassifier,
            state_dict: OrderedDict,
            prefix: str,
            local_metadata: dict,
        ) -> OrderedDict:
            """Keep what modules note beside the weights."""
            found: OrderedDict = Plain._remove_state_dict_prefix(
                self, state_dict, prefix, local_metadata
            )
            vars(found).update(vars(state_dict))
            return found

        def _keep_memory(
            self, state_dict: dict[str, Tensor], prefix: str, *_: object
        ) -> None:
            """Undo the renaming to ``model.`` by mmpretrain's class."""
            moved = f'{prefix}model.neck.units.'
            for name in [
                name for name in state_dict if name.startswith(moved)
            ]:
                own = f'{prefix}neck.units.{name.removeprefix(moved)}'
                state_dict[own] = state_dict.pop(name)
