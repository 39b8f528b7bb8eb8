"""Taps by rule: the stem and the end of each resolution of the trunk."""

from __future__ import annotations

from collections.abc import Iterable

from torch.nn.modules.conv import _ConvNd

from .checks import backbone_name, is_norm, level_of, pooling_of, refusal
from .dry_run import Call, DryRun


def taps_by_rule(run: DryRun) -> list[Call]:
    """Take the stem and the end of each resolution of the trunk.

    A backbone may have several branches. Its trunk is the path to its coarsest
    map, so the taps are found backwards from there: of each finer resolution,
    the last map from which the tap below is computed.

    Args:
        run (DryRun): The record of a dry run.

    Returns:
        list[Call]: The calls to tap.

    Raises:
        ValueError: The backbone passes tokens, or has no map to tap.
    """
    parts = [c for child in _top(run).children for c in _parts(run, child)]
    _check_tokens(run, parts)
    maps = [call for call in _body(run, parts) if refusal(run, call) is None]
    if not maps:
        raise ValueError(
            f'{backbone_name(run)} returns no feature map (N, C, H, W) from '
            'any module that could be tapped, so MLFMNeck cannot serve it; '
            'list the modules to tap in `taps` if you know better.'
        )
    taps: list[Call] = []
    stage: list[Call] = []
    for level in _levels(run, maps):
        leading = _leading(run, level, maps, taps)
        if not leading and stage:
            # A module may halve twice: look inside, so that no resolution is
            # skipped.
            leading = _leading(run, level, list(taps[-1].walk()), taps)
        if leading:
            stage = leading
            taps.append(_last(run, stage))
    # The stem: the finest map of all, if a convolution separates it from the
    # last tap.
    if _holds_convolution(run, stage[0], taps[-1]):
        taps.append(stage[0])
    return taps


def _levels(run: DryRun, maps: list[Call]) -> Iterable[int]:
    """List the resolutions of the trunk, from the coarsest on."""
    coarsest = max(level_of(run, call) for call in maps)
    end = _last(run, _leading(run, coarsest, maps, []))
    on_the_way = [level_of(run, c) for c in maps if run.feeds(c, end)]
    return range(coarsest, min([*on_the_way, coarsest]) - 1, -1)


def _leading(
    run: DryRun, level: int, calls: list[Call], taps: list[Call]
) -> list[Call]:
    """Pick the maps of a resolution from which the tap below is computed."""
    return [
        call
        for call in calls
        if refusal(run, call) is None
        and level_of(run, call) == level
        and (not taps or run.feeds(call, taps[-1]))
    ]


def _top(run: DryRun) -> Call:
    """Unwrap a module around a whole backbone, such as TIMMBackbone."""
    call = run.root
    while len(call.children) == 1:
        (inner,) = call.children
        if not any(part.children for part in inner.children):
            break
        call = inner
    return call


def _body(run: DryRun, parts: list[Call]) -> list[Call]:
    """Leave out the head, where a backbone declares its last feature."""
    for name, module in run.root.module.named_modules():
        info = getattr(module, 'feature_info', None)  # a convention of timm
        if isinstance(info, list) and info:
            path = f'{name}.{info[-1]["module"]}'.lstrip('.')
            last = next((c for c in run.calls if c.name == path), None)
            if last is not None:
                return [
                    part
                    for part in parts
                    if last in part.walk() or not run.feeds(last, part)
                ]
    return parts


def _holds_convolution(run: DryRun, first: Call, last: Call) -> bool:
    return any(
        isinstance(call.module, _ConvNd)
        and run.feeds(first, call)
        and run.feeds(call, last)
        for call in run.calls
    )


def _parts(run: DryRun, call: Call) -> list[Call]:
    """Descend until each call stays within one change of resolution."""
    if call.tokens or not call.children:
        return [call]
    # A norm cannot be tapped, but timm's contain an activation that can. And
    # a backbone may return what is inside a part instead of its output.
    is_read = run.flow.reaches_output(call.index)
    inner = {level_of(run, c) for c in call.walk() if c.is_map}
    if call.is_map and is_read and not is_norm(call):
        out = level_of(run, call)
        # Coarser levels inside are squeezed maps of attention blocks.
        if len([level for level in inner if level <= out]) <= 2:
            return [call]
    if pooling_of(call) and len(inner) == 1:
        return [call]  # a head, perhaps one of class maps
    return [c for child in call.children for c in _parts(run, child)]


def _last(run: DryRun, stage: list[Call]) -> Call:
    """Find the call that the others feed.

    Parallel branches may end side by side: then it is the one with the most
    weights.
    """
    ends = [c for c in stage if not any(run.feeds(c, d) for d in stage)]
    return max(ends, key=_weights)


def _weights(call: Call) -> int:
    return sum(weight.numel() for weight in call.module.parameters())


def _check_tokens(run: DryRun, parts: list[Call]) -> None:
    call = next((c for c in parts if c.tokens and not is_norm(c)), None)
    if call is None:
        return
    raise ValueError(
        f'{backbone_name(run)} passes tokens (N, L, C) from {call.name!r} '
        'on, and MLFMNeck needs feature maps (N, C, H, W). Use a '
        'convolutional backbone, or list the convolutional modules to tap in '
        '`taps`.'
    )
