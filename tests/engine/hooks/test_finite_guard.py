import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import CheckpointLoader, Runner
from torch.optim import SGD

from mlfm_mm.engine.hooks import FiniteGuardHook, NonFiniteError
from tests.engine.hooks.test_exact_resume import EMA
from tests.engine.hooks.test_safe_checkpoint import REPO, log, names
from tests.engine.hooks.toy import add_validation, run, toy_config, weights
from tests.processes import run_ranks


def guarded_config(work_dir: Path, **options: Any) -> Config:
    cfg = toy_config(work_dir)
    cfg.train_dataloader.dataset.poison = 5
    cfg.custom_hooks = [dict(type='mlfm_mm.FiniteGuardHook', **options)]
    return cfg


def finite(path: Path) -> bool:
    return all(value.isfinite().all() for value in weights(path).values())


def test_plain_mmengine_saves_what_is_no_number(tmp_path: Path) -> None:
    # What is guarded against; if this fails, the hook may go.
    cfg = guarded_config(tmp_path)
    cfg.custom_hooks = []
    run(cfg)
    assert not finite(tmp_path / 'epoch_3.pth')


def test_stop(tmp_path: Path) -> None:
    with pytest.raises(NonFiniteError) as caught:
        run(guarded_config(tmp_path))
    message = str(caught.value)
    assert 'Loss not finite in iteration' in message
    assert 'loss nan; learning rate 0.0' in message
    assert 'image_5.png' in message
    assert 'clip the gradients' in message
    assert all(finite(tmp_path / name) for name in names(tmp_path))


@pytest.mark.parametrize('policy', ['skip', 'roll_back'])
@pytest.mark.parametrize('hooks', [[], [EMA]], ids=['plain', 'ema'])
def test_train_on(policy: str, hooks: list, tmp_path: Path) -> None:
    cfg = guarded_config(tmp_path, policy=policy)
    add_validation(cfg)
    cfg.custom_hooks += hooks
    cfg.default_hooks.checkpoint.update(
        type='mlfm_mm.SafeCheckpointHook', save_best='score', rule='greater'
    )
    # The first epoch is sound, so that there is what to go back to.
    cfg.custom_hooks.append(dict(type='PoisonHook', epoch=1, image=5))
    cfg.train_dataloader.dataset.poison = None
    runner = run(cfg)
    assert runner.iter == 12
    assert finite(tmp_path / 'epoch_3.pth')
    assert finite(tmp_path / 'best_score_epoch_3.pth')
    told = 'the batch is left out' if policy == 'skip' else 'epoch_1.pth'
    assert told in log(runner)
    assert log(runner).count('not finite in iteration') == 2
    rate = runner.optim_wrapper.get_lr()['lr'][0]
    assert math.isclose(rate, 0.1)


def test_roll_back_in_a_folder_that_was_moved(tmp_path: Path) -> None:
    cfg = guarded_config(tmp_path / 'old', policy='roll_back')
    cfg.default_hooks.checkpoint.type = 'mlfm_mm.SafeCheckpointHook'
    cfg.train_dataloader.dataset.poison = None
    cfg.custom_hooks.append(dict(type='StopHook', at=6))
    with pytest.raises(KeyboardInterrupt):
        run(cfg)
    # A copy would take what its original holds by now.
    shutil.move(tmp_path / 'old', tmp_path / 'new')
    cfg.work_dir, cfg.resume = str(tmp_path / 'new'), True
    cfg.custom_hooks[-1] = dict(type='PoisonHook', epoch=1, image=5)
    assert f'those of {tmp_path / "new" / "epoch_1.pth"}' in log(run(cfg))


def test_roll_back_where_an_address_was_resumed_from(tmp_path: Path) -> None:
    @CheckpointLoader.register_scheme('toy://', force=True)
    def load(address: str, map_location: object = None) -> dict:
        path = address.removeprefix('toy://')
        return torch.load(path, weights_only=False)

    cfg = guarded_config(tmp_path / 'old', policy='roll_back')
    cfg.default_hooks.checkpoint.type = 'mlfm_mm.SafeCheckpointHook'
    cfg.train_dataloader.dataset.poison = None
    cfg.train_cfg.max_epochs = 1
    run(cfg)
    path = tmp_path / 'old' / 'epoch_1.pth'
    cfg.update(resume=True, load_from=f'toy://{path}')
    cfg.update(work_dir=str(tmp_path / 'new'))
    cfg.train_cfg.max_epochs = 2
    cfg.custom_hooks.append(dict(type='PoisonHook', epoch=1, image=5))
    assert f'those of {path}' in log(run(cfg))


def test_what_is_left_out_is_not_logged(tmp_path: Path) -> None:
    cfg = guarded_config(tmp_path, policy='skip')
    folder = Path(run(cfg).log_dir)
    lines = (folder / 'vis_data' / 'scalars.json').read_text().splitlines()
    losses = [x['loss'] for x in map(json.loads, lines) if 'loss' in x]
    assert losses and all(map(math.isfinite, losses))


def test_flexible_runner(tmp_path: Path) -> None:
    # It returns nothing where the default one returns the checkpoint.
    cfg = guarded_config(tmp_path, policy='roll_back')
    cfg.default_hooks.checkpoint.type = 'mlfm_mm.SafeCheckpointHook'
    cfg.custom_hooks.append(dict(type='PoisonHook', epoch=1, image=5))
    cfg.train_dataloader.dataset.poison = None
    cfg.update(runner_type='FlexibleRunner', env_cfg=dict())
    assert 'epoch_1.pth' in log(run(cfg))
    assert finite(tmp_path / 'epoch_3.pth')


def test_a_skipped_batch_leaves_no_trace(tmp_path: Path) -> None:
    cfg = guarded_config(tmp_path, policy='skip')
    cfg.optim_wrapper.optimizer.weight_decay = 0.1
    # All images of all batches: nothing may ever change.
    cfg.train_dataloader.dataset.poison = -1
    cfg.custom_hooks[0].patience = 99
    before = run(guarded_untrained(tmp_path / 'none')).model.state_dict()
    after = run(cfg).model.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


def guarded_untrained(work_dir: Path) -> Config:
    cfg = toy_config(work_dir)
    cfg.train_cfg.max_epochs = 0
    cfg.param_scheduler = None
    return cfg


def test_patience(tmp_path: Path) -> None:
    cfg = guarded_config(tmp_path, policy='skip', patience=3)
    cfg.train_dataloader.dataset.poison = -1
    with pytest.raises(NonFiniteError, match='in iteration 3 '):
        run(cfg)


def test_nothing_to_roll_back_to(tmp_path: Path) -> None:
    cfg = guarded_config(tmp_path, policy='roll_back')
    cfg.train_dataloader.dataset.poison = -1
    with pytest.raises(NonFiniteError, match='no checkpoint yet'):
        run(cfg)


def test_nothing_to_roll_the_optimizer_back_to(tmp_path: Path) -> None:
    cfg = guarded_config(tmp_path, policy='roll_back')
    cfg.default_hooks.checkpoint.update(
        type='mlfm_mm.SafeCheckpointHook', save_optimizer=False
    )
    cfg.custom_hooks.append(dict(type='PoisonHook', epoch=1, image=5))
    cfg.train_dataloader.dataset.poison = None
    with pytest.raises(NonFiniteError, match=r'epoch_1\.pth lacks the optim'):
        run(cfg)


def test_gradient(tmp_path: Path) -> None:
    cfg = guarded_config(tmp_path)
    cfg.model.type = 'SteepNet'
    cfg.train_dataloader.dataset.poison = None
    with pytest.raises(NonFiniteError, match='Gradient not finite in iter'):
        run(cfg)


def test_weights_that_overflow_are_not_written(tmp_path: Path) -> None:
    cfg = guarded_config(tmp_path)
    cfg.train_dataloader.dataset.poison = None
    cfg.optim_wrapper.optimizer.lr = 1e38
    cfg.param_scheduler = None
    cfg.default_hooks.checkpoint.update(by_epoch=False, interval=1)
    with pytest.raises(NonFiniteError):
        run(cfg)
    assert all(finite(tmp_path / n) for n in names(tmp_path) if 'iter' in n)


def test_wrong_policy() -> None:
    with pytest.raises(ValueError, match="policy='ignore' is not known"):
        FiniteGuardHook(policy='ignore')


def test_roll_back_of_several_optimizers(tmp_path: Path) -> None:
    cfg = guarded_config(tmp_path, policy='roll_back')
    cfg.custom_hooks.append(dict(type='PoisonHook', epoch=1, image=5))
    cfg.train_dataloader.dataset.poison = None
    cfg.param_scheduler = None
    cfg.experiment_name = str(tmp_path)
    runner = Runner.from_cfg(cfg)
    model = runner.model

    def train_step(data: dict, optim_wrapper: OptimWrapperDict) -> dict:
        losses = model(**data, mode='loss')
        losses['loss'].backward()
        for wrapper in optim_wrapper.values():
            wrapper.step()
            wrapper.zero_grad()
        return losses

    model.train_step = train_step
    runner.optim_wrapper = OptimWrapperDict(
        conv=OptimWrapper(SGD(model.conv.parameters(), lr=0.1, momentum=0.9)),
        head=OptimWrapper(SGD(model.head.parameters(), lr=0.1, momentum=0.9)),
    )
    runner.train()
    assert finite(tmp_path / 'epoch_3.pth')
    assert 'weights are those of' in log(runner)


def test_gradients_that_a_fused_optimizer_scales_itself() -> None:
    # It steps although they overflow, and is told so by the loss scaler.
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([weight], lr=0.1, fused=True)
    guard = FiniteGuardHook()
    optimizer.register_step_pre_hook(guard._before_step)
    scaler = torch.amp.GradScaler('cpu', init_scale=2.0**120)
    scaler.scale((weight * 1e9).sum()).backward()
    assert not weight.grad.isfinite().all()
    scaler.step(optimizer)
    scaler.update()
    assert not guard.is_dropped and weight.tolist() == [1, 1, 1]
    assert scaler.get_scale() == 2.0**119


@pytest.mark.parametrize('policy', ['skip', 'roll_back'])
def test_a_batch_within_an_update(policy: str, tmp_path: Path) -> None:
    # Its gradients would make those of the batches after it no numbers.
    cfg = guarded_config(tmp_path, policy=policy)
    cfg.optim_wrapper.accumulative_counts = 3
    cfg.train_dataloader.dataset.poison = None
    cfg.custom_hooks.append(dict(type='PoisonHook', epoch=1, image=5))
    before = run(guarded_untrained(tmp_path / 'none')).model.state_dict()
    runner = run(cfg)
    told = [x for x in log(runner).splitlines() if 'not finite in' in x]
    assert len(told) == 2 and all('image_5.png' in line for line in told)
    after = runner.model.state_dict()
    assert not torch.equal(before['head.weight'], after['head.weight'])
    assert finite(tmp_path / 'epoch_3.pth')


def test_a_bad_gradient_within_an_update(tmp_path: Path) -> None:
    cfg = guarded_config(tmp_path)
    cfg.model.type = 'SteepNet'
    cfg.train_dataloader.dataset.poison = None
    cfg.optim_wrapper.accumulative_counts = 3
    with pytest.raises(NonFiniteError, match=r'Gradient .* iteration 1 '):
        run(cfg)


def test_a_loss_whose_gradients_are_finite(tmp_path: Path) -> None:
    # As of a cross entropy all of whose pixels are ignored, beside another.
    cfg = guarded_untrained(tmp_path)
    cfg.custom_hooks = [dict(type='mlfm_mm.FiniteGuardHook', policy='skip')]
    runner = run(cfg)
    (hook,) = (h for h in runner.hooks if isinstance(h, FiniteGuardHook))
    wrapper, weight = runner.optim_wrapper, runner.model.head.weight
    hook.before_train(runner)
    before = weight.detach().clone()
    for lost, moves in ((math.nan, False), (0.0, True)):
        hook.before_train_iter(runner, 0)
        loss = weight.square().sum() + torch.tensor(lost)
        wrapper.update_params(loss)
        hook.after_train_iter(runner, 0, {}, dict(loss=loss))
        assert torch.equal(weight, before) != moves
    hook.after_train(runner)
    assert wrapper.scale_loss.__func__ is type(wrapper).scale_loss


def test_a_gradient_of_one_shard(tmp_path: Path) -> None:
    """The bias of the head, which the first of two processes does not hold."""
    words = 'tests/engine/hooks/sharded.py', tmp_path, 'SteepNet'
    for rank in run_ranks(2, *words, cwd=REPO, PYTHONPATH=str(REPO)):
        assert rank.returncode == 0, rank.stderr
        assert rank.stdout.endswith('the same: True\n')
