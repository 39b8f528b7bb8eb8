"""Find the taps of a backbone: declared, by rule, or a user's list."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from itertools import pairwise

from torch import nn

from ..refusals import check_flags
from .by_rule import taps_by_rule
from .checks import backbone_name, is_norm, level_of, refusal
from .declared import declared_taps, decoder_taps
from .dry_run import Call, DryRun, dry_run
from .flow import tensors_in
from .layout import LAST
from .tap import Tap, halvings


def find_taps(
    backbone: nn.Module,
    taps: str | Sequence[str] = 'auto',
    image_channels: int | None = None,
    decoder: bool = False,
) -> tuple[list[Tap], DryRun]:
    """Find the taps of a backbone by one dry run.

    Args:
        backbone (nn.Module): The backbone; it is not touched.
        taps (str | Sequence[str]): ``'auto'``; ``'stages'`` for the ends of
            stages only, without the stem and its pooling (ours, not the
            paper's); or names of modules inside the backbone. Defaults to
            ``'auto'``.
        image_channels (int, optional): Channels of the image; taken from the
            backbone's first convolution when None. Defaults to None.
        decoder (bool): Whether to tap the decoder too, along which the
            stride falls again. Defaults to False.

    Returns:
        tuple[list[Tap], DryRun]: The taps in the order in which the trunk
        passes them, and the record they were read from.

    Raises:
        TypeError: ``taps`` is neither one of these words nor a list of
            names.
        ValueError: The backbone passes tokens, or a named module is unknown
            or cannot be tapped.

    Example:
        >>> backbone = nn.Sequential(
        ...     nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU()),
        ...     nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU()),
        ... )
        >>> [(tap.module, tap.channels) for tap in find_taps(backbone)[0]]
        [('0', 8), ('1', 16)]
    """
    is_list = isinstance(taps, (list, tuple))
    by_itself = taps in ('auto', 'stages')
    if not by_itself and not (
        is_list and all(isinstance(tap, str) for tap in taps)
    ):
        raise TypeError(
            f"taps={taps!r} must be 'auto', 'stages' or a list of module "
            "names of the backbone, such as ['layer1', 'layer2']."
        )
    check_flags(decoder=decoder)
    run = dry_run(backbone, image_channels)
    if not list(tensors_in(run.output)):
        raise ValueError(
            f'{backbone_name(run)} returns no feature: its out_indices name '
            'no stage that it has.'
        )
    if run.flow.is_cut:
        raise ValueError(_cut(run))
    order = {call: i for i, call in enumerate(_as_they_end(run.root))}
    if by_itself:
        calls = declared_taps(run) or taps_by_rule(run)
        if taps == 'stages':
            calls = _stage_ends(run, sorted(calls, key=order.__getitem__))
        if decoder:
            calls += decoder_taps(run)
    else:
        calls = [_named(run, name) for name in taps]
    calls = sorted(set(calls), key=order.__getitem__)
    found = [_tap(run, call) for call in calls]
    if not found:
        raise ValueError(
            f'taps=[] leaves {backbone_name(run)} without any memory.'
        )
    if not decoder:
        _check_descent(run, found)
    return found, run


def _stage_ends(run: DryRun, calls: list[Call]) -> list[Call]:
    """Leave out the stem and, of each resolution, all but the last."""
    last = {level_of(run, call): call for call in calls[1:]}
    return list(last.values())


def _tap(run: DryRun, call: Call) -> Tap:
    exact = run.reduction(call)
    channels, stride = call.map_shape[1], max(1, round(exact))
    return Tap(
        call.name,
        channels,
        stride,
        aligned=exact == 2 ** halvings(stride),
        channels_last=call.layout == LAST,
    )


def _as_they_end(call: Call) -> list[Call]:
    inner = [c for child in call.children for c in _as_they_end(child)]
    return [*inner, call]


def _check_descent(run: DryRun, taps: list[Tap]) -> None:
    for above, below in pairwise(taps):
        if below.level < above.level:
            raise ValueError(
                f'Tap {below.module!r} (stride {below.reduction}) comes after '
                f'{above.module!r} (stride {above.reduction}), but a memory '
                'that was low-passed regains no resolution; tap only modules '
                'along which the stride never falls, or set decoder=True, '
                'which brings the memory up again.'
            )


def _cut(run: DryRun) -> str:
    return (
        f'{backbone_name(run)} lets no gradient through to the image, since '
        'a part of it runs under torch.no_grad() or on x.detach(); the memory '
        'beside it is found and trained along the gradient. Freeze that part '
        'by requires_grad=False and eval() instead.'
    )


def capture_point(run: DryRun, taps: Sequence[Tap] = ()) -> str:
    """Find the module that consumes the image.

    Activation checkpointing of a whole backbone calls its forward function but
    not its hooks, so the image is captured at the module that first reads it.

    Args:
        run (DryRun): The record of a dry run.
        taps (Sequence[Tap]): The taps, before the first of which the image
            is needed. Defaults to none.

    Returns:
        str: Name of the module, ``''`` for the backbone itself.

    Example:
        >>> run = dry_run(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()))
        >>> capture_point(run)
        '0'
    """
    first = next((call for call in run.calls if call.takes_image), None)
    if first is None or is_norm(first) or len(run.calls_of(first.name)) > 1:
        return ''
    # Another part may read the image once more, after the trunk.
    late = any(run.calls_of(t.module)[0].index < first.index for t in taps)
    return '' if late else first.name


# ---- a user's list --------------------------------------------------------


def _named(run: DryRun, name: str) -> Call:
    try:
        calls = run.calls_of(name)
    except AttributeError:
        raise ValueError(
            f'{backbone_name(run)} has no module {name!r}; '
            f'{_choices(run, name)}'
        ) from None
    if not calls:
        raise ValueError(
            f'Tap {name!r} never fires: {backbone_name(run)} has the module '
            'but does not call it (it may call its children one by one); '
            f'{_choices(run, name)}'
        )
    reason = refusal(run, calls[0])
    if reason is not None:
        raise ValueError(
            f'Tap {name!r} of {backbone_name(run)} {reason}; '
            f'{_choices(run, name)}'
        )
    return calls[0]


def _choices(run: DryRun, name: str) -> str:
    usable = [call.name for call in run.calls if refusal(run, call) is None]
    near = get_close_matches(name, usable, n=5, cutoff=0.6)
    outer = [n for n in usable if n.count('.') <= 1]
    return f'it can be tapped at {", ".join(dict.fromkeys(near + outer))}.'
