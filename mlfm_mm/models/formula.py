"""What weights were trained for, where their names and shapes do not tell.

Some options change what the network computes, but no weight. A state dict
keeps them in its metadata, beside the versions of PyTorch's modules, so that
other options are noticed when its weights are loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from ..registry import bare_name

if TYPE_CHECKING:
    from .mlfm_neck import MLFMNeck

KEY = 'formula'


def guard_formula(neck: MLFMNeck) -> None:
    """Note the options in each state dict, and compare them when loading.

    Args:
        neck (MLFMNeck): The neck.
    """
    # PyTorch passes the neck to these functions, so they serve copies, too.
    neck.register_state_dict_post_hook(_note)
    neck.register_load_state_dict_pre_hook(_compare)


def formula_of(neck: MLFMNeck) -> dict[str, str]:
    """Describe what a neck computes, as far as its weights leave it open.

    Args:
        neck (MLFMNeck): The neck; one without units has nothing to tell.

    Returns:
        dict[str, str]: The options that matter, and their values.

    Example:
        >>> from mlfm_mm import MLFMNeck
        >>> formula_of(MLFMNeck())
        {}
    """
    if not neck.taps:
        return {}
    low_pass, options = neck.low_pass, neck._options
    return dict(
        taps=', '.join(tap.module for tap in neck.taps),
        wavelet='haar' if low_pass.filter is None else low_pass.wavelet,
        identity_init=str(options['identity_init']),
        act_cfg=_activation(options['act_cfg']),
    )


def _activation(cfg: dict | None) -> str:
    if cfg is None:
        return 'None'
    options = [
        f', {key}={value!r}'
        for key, value in sorted(cfg.items())
        if key not in ('type', 'inplace')
    ]
    return f'{bare_name(cfg)}{"".join(options)}'


def other_options(neck: MLFMNeck, metadata: dict) -> list[str]:
    """List the options that differ from those that weights were trained with.

    Args:
        neck (MLFMNeck): The neck that is to take them.
        metadata (dict): What their state dict notes about theirs.

    Returns:
        list[str]: What to say of their units for each; nothing if nothing
        was noted.
    """
    ours, theirs = formula_of(neck), metadata.get(KEY) or {}
    return [
        f'were trained with {name}={theirs[name]}, not {name}={ours[name]}'
        for name in ours
        if theirs.get(name, ours[name]) != ours[name]
    ]


def _note(
    neck: MLFMNeck,
    state_dict: dict[str, Tensor],
    prefix: str,
    local_metadata: dict,
) -> None:
    local_metadata[KEY] = formula_of(neck)


def _compare(
    neck: MLFMNeck,
    state_dict: dict[str, Tensor],
    prefix: str,
    local_metadata: dict,
    strict: bool,
    missing_keys: list[str],
    unexpected_keys: list[str],
    *_: object,
) -> None:
    # Reported like unexpected keys: an error where loading is strict.
    unexpected_keys += [
        f'{prefix}units {text}' for text in other_options(neck, local_metadata)
    ]
