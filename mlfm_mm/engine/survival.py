"""The hooks that keep a run safe, for every config that is trained here."""

from mmengine.config import Config
from mmengine.hooks import CheckpointHook, EarlyStoppingHook
from mmengine.registry import HOOKS

from .kinds import find_hooks, kind_of

OUR_CHECKPOINT = 'mlfm_mm.SafeCheckpointHook'
OUR_EARLY_STOP = 'mlfm_mm.ResumableEarlyStoppingHook'
# By the names under which default_hooks can replace or, by None, remove them.
OUR_HOOKS = dict(
    checkpoint=dict(type=OUR_CHECKPOINT),
    exact_resume=dict(type='mlfm_mm.ExactResumeHook'),
    finite_guard=dict(type='mlfm_mm.FiniteGuardHook'),
    preemption=dict(type='mlfm_mm.PreemptionHook'),
    missed_validation=dict(type='mlfm_mm.MissedValidationHook'),
)
# Names for which MMEngine takes None; it refuses None for any other.
OF_MMENGINE = (
    *('runtime_info', 'timer', 'sampler_seed', 'logger'),
    *('param_scheduler', 'checkpoint'),
)
# MMEngine's, where a config has none.
DEFAULT_CHECKPOINT = dict(type='CheckpointHook', interval=1)


def protect(cfg: Config, signals: list[str] | None = None) -> None:
    """Add our hooks to a config that does not name others.

    Args:
        cfg (Config): The config, changed in place.
        signals (list[str], optional): At which signals to save and leave.
            Defaults to None, which leaves it to the config, or to SIGTERM.

    Example:
        >>> cfg = Config(dict(default_hooks=dict()))
        >>> protect(cfg)
        >>> cfg.default_hooks.checkpoint
        {'type': 'mlfm_mm.SafeCheckpointHook', 'interval': 1}
    """
    hooks = dict(cfg.get('default_hooks') or {})
    checkpoint = hooks.get('checkpoint', DEFAULT_CHECKPOINT)
    scope = cfg.get('default_scope')
    if is_settings(checkpoint, CheckpointHook, scope):
        hooks['checkpoint'] = {**checkpoint, **OUR_HOOKS['checkpoint']}
    for hook in (*hooks.values(), *(cfg.get('custom_hooks') or ())):
        if is_settings(hook, EarlyStoppingHook, scope):
            hook['type'] = OUR_EARLY_STOP
            # Ours has to count before checkpoints are written.
            hook.pop('priority', None)
    ours = {
        k: v for k, v in OUR_HOOKS.items() if not find_hooks(cfg, v['type'])
    }
    # ``finite_guard=dict(policy='skip')`` need not repeat the type.
    given = {
        k: {**OUR_HOOKS[k], **v}
        if isinstance(v, dict) and k in OUR_HOOKS
        else v
        for k, v in hooks.items()
    }
    cfg.default_hooks = {**ours, **given}
    if signals:
        cfg.default_hooks.preemption = dict(
            OUR_HOOKS['preemption'], signals=signals
        )


def is_settings(hook: object, kind: type, scope: str | None) -> bool:
    """Tell whether a hook is settings, not an instance, of exactly a kind."""
    return isinstance(hook, dict) and kind_of(hook, HOOKS, scope) is kind


def leave_out(cfg: Config) -> None:
    """Leave out the hooks that a config removes by None.

    Args:
        cfg (Config): The config, changed in place.

    Example:
        >>> hooks = dict(timer=None, finite_guard=None)
        >>> cfg = Config(dict(default_hooks=hooks))
        >>> leave_out(cfg)
        >>> cfg.default_hooks
        {'timer': None}
    """
    cfg.default_hooks = {
        name: hook
        for name, hook in (cfg.get('default_hooks') or {}).items()
        if hook is not None or name in OF_MMENGINE
    }
