"""From a prepared config to its runner."""

from mmengine.config import Config
from mmengine.registry import RUNNERS, init_default_scope
from mmengine.runner import Runner

from .amp import adapt_amp
from .distributed import adapt_launcher


def build_runner(cfg: Config) -> Runner:
    """Build the runner, with or without a GPU.

    Args:
        cfg (Config): A config from :func:`prepare_training` or
            :func:`prepare_testing`, changed in place where a GPU is missing.

    Returns:
        Runner: The default runner, or the config's ``runner_type``.

    Raises:
        UsageError: If the launcher cannot work here.
    """
    adapt_amp(cfg)
    adapt_launcher(cfg)
    if 'runner_type' not in cfg:
        return Runner.from_cfg(cfg)
    # A host's own runner is found from the host's scope only.
    init_default_scope(cfg.default_scope)
    return RUNNERS.build(cfg)
