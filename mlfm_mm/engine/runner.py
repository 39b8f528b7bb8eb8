"""From a prepared config to its runner."""

from contextlib import nullcontext
from copy import deepcopy
from itertools import count
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.registry import RUNNERS, init_default_scope
from mmengine.runner import BaseLoop, Runner
from torch import nn
from torch.nn.modules.utils import (
    consume_prefix_in_state_dict_if_present,
)
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from .amp import adapt_amp
from .distributed import adapt_launcher
from .errors import UsageError
from .hooks.check_data import check_batches
from .memory import check_kept
from .models import unwrapped
from .run_lock import held
from .survival import leave_out
from .weights import weights_in

_numbers = count()


def build_runner(cfg: Config, name: str | None = None) -> Runner:
    """Build the runner, with or without a GPU.

    Args:
        cfg (Config): A config from :func:`prepare_training` or
            :func:`prepare_testing`, changed in place where a GPU is missing.
        name (str, optional): What the run is for, if it is one of several in
            this process: it then has a logger and a visualizer of its own.
            Defaults to None.

    Returns:
        Runner: The default runner, or the config's ``runner_type``. It
        writes its config once it runs.

    Raises:
        UsageError: If the launcher cannot work here, or ``runner_type`` is
            unknown.
    """
    written = deepcopy(cfg)
    adapt_amp(cfg)
    adapt_launcher(cfg)
    leave_out(cfg)
    if name is not None:
        _set_apart(cfg, f'{name}_{next(_numbers)}')
    kind: Any = Runner
    if 'runner_type' in cfg:
        # A host's own runner is found from the host's scope only.
        init_default_scope(cfg.default_scope)
        kind = cfg.runner_type
    if isinstance(kind, str):
        kind = RUNNERS.get(kind)
    if kind is None:
        raise UsageError(
            f'runner_type={cfg.runner_type!r} is unknown: name a runner that '
            'is registered in RUNNERS, or leave it out'
        )
    late: Any = type(kind.__name__, (_Careful, kind), {})
    runner: Runner = late.from_cfg(cfg)
    # What it writes down trains alike on GPUs and in any number of processes.
    runner.cfg = written
    return runner


def _set_apart(cfg: Config, name: str) -> None:
    # MMEngine would give runners of one name the same logger, and the same
    # visualizer, which writes to the folder of the first.
    cfg.experiment_name = name
    if cfg.get('visualizer') is not None:
        cfg.visualizer.name = name


class _Careful:
    """What our tools change in a runner: when it checks data, loads, writes.

    MMEngine writes its config while the runner is built, over that of an
    earlier run in the same folder, from which the weights are: for a test, and
    for a run that is then refused to resume. What reads the folder would be
    misled. And its ``FlexibleRunner`` loads a checkpoint before its hooks
    have begun, which choose one, and where it goes.
    """

    cfg: Config
    model: nn.Module
    log_dir: str
    _hooks_have_begun = _loads_late = False

    def dump_config(self) -> None:
        """Write nothing yet."""

    def build_train_loop(self, loop: object) -> BaseLoop:
        """Refuse data that make no batch, before schedules count steps."""
        base: Any = super()
        built: BaseLoop = base.build_train_loop(loop)
        if isinstance(built.dataloader, DataLoader):
            check_batches(built.dataloader)
        return built

    def build_param_scheduler(self, scheduler: object) -> object:
        """Say which setting a wrong schedule comes from."""
        base: Any = super()
        try:
            return base.build_param_scheduler(scheduler)
        except ValueError as error:
            own: Any = self
            raise UsageError(
                f'param_scheduler: {error} (training has {own.max_iters} '
                'iterations)'
            ) from error

    def train(self) -> object:
        """Train, in a folder that no other run writes to."""
        base: Any = super()
        own: Any = self
        folder = Path(own.work_dir)
        with held(folder) if is_main_process() else nullcontext():
            return base.train()

    def load_or_resume(self) -> None:
        """Load once the hooks have begun."""
        base: Any = super()
        if self._hooks_have_begun:
            base.load_or_resume()
        self._loads_late = not self._hooks_have_begun

    def call_hook(self, fn_name: str, **kwargs: object) -> None:
        """Call the hooks, then write the config if they let it begin."""
        base: Any = super()
        strategy = getattr(self, 'strategy', None)
        wrapped = getattr(strategy, 'model', None)
        file: Any = kwargs.get('checkpoint')
        if fn_name == 'before_save_checkpoint' and isinstance(
            wrapped, DistributedDataParallel
        ):
            # MMEngine's DDPStrategy saves the names of the wrapper.
            consume_prefix_in_state_dict_if_present(
                file['state_dict'], 'module.'
            )
        elif fn_name == 'after_load_checkpoint' and 'state_dict' not in file:
            # Hooks such as EMAHook look for the weights there.
            weights = weights_in(file)
            file.clear()
            file['state_dict'] = weights
        elif fn_name == 'before_run':
            check_kept(unwrapped(self.model), self.cfg.get('model'))
        base.call_hook(fn_name, **kwargs)
        if fn_name == 'before_run':
            self._hooks_have_begun = True
            if self._loads_late:
                self.load_or_resume()
        elif fn_name == 'before_train':
            base.dump_config()
        elif fn_name == 'before_test' and is_main_process():
            name = Path(self.cfg.filename or 'config.py').name
            self.cfg.dump(Path(self.log_dir) / name)
