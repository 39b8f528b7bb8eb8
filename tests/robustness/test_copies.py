"""Copies of a model use their own units."""

import copy
import io
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine.hooks import EMAHook, Hook
from mmengine.model import ExponentialMovingAverage
from mmengine.runner import Runner
from mmpretrain.structures import DataSample
from torch import nn
from torch.utils.data import DataLoader

from tests.models.builders import shaken
from tests.robustness.models import DEEP, images, narrow


def saved_and_loaded(model: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def pickled(model: nn.Module) -> nn.Module:
    return pickle.loads(pickle.dumps(model))


def averaged(model: nn.Module) -> nn.Module:
    return ExponentialMovingAverage(model).module


@pytest.mark.parametrize(
    'duplicate', [copy.deepcopy, pickled, saved_and_loaded, averaged]
)
@pytest.mark.parametrize('backbone', [{}, DEEP], ids=['shallow', 'deep'])
def test_a_copy_is_apart(
    duplicate: Callable[[nn.Module], nn.Module], backbone: dict
) -> None:
    model = shaken(narrow(backbone)).eval()
    x = images()
    with torch.no_grad():
        expected = model(x)
        twin = duplicate(model)
        assert torch.equal(twin(x), expected)
        # Change the original: the copy stays, and the other way round.
        for parameter in model.neck.parameters():
            parameter.mul_(1.5)
        changed = model(x)
        assert not torch.equal(changed, expected)
        assert torch.equal(twin(x), expected)
        for parameter in twin.neck.parameters():
            parameter.zero_()
        assert torch.equal(model(x), changed)


def test_a_process_that_only_unpickles_guards_hooks() -> None:
    # Else a compiled network would run the graph of one without memory.
    content = pickle.dumps(narrow())
    config = torch._dynamo.config
    with config.patch(skip_nnmodule_hook_guards=True):
        pickle.loads(content)
        assert not config.skip_nnmodule_hook_guards


def test_a_copy_made_in_the_middle_of_a_pass() -> None:
    model = shaken(narrow()).eval()
    twins = []
    handle = model.backbone.layer2.register_forward_hook(
        lambda *_: twins.append(copy.deepcopy(model))
    )
    x = images()
    with torch.no_grad():
        expected = model(x)
        handle.remove()
        (twin,) = twins
        assert twin.neck._current.state is None
        twin.backbone.layer2._forward_hooks.popitem()  # the copying one
        assert torch.equal(twin(x), expected)


class Weights(Hook):
    """Notes the weights of the units after each step."""

    def __init__(self) -> None:
        self.history: list[torch.Tensor] = []

    def after_train_iter(self, runner: Runner, **step: object) -> None:
        self.history.append(flat(runner.model))


def flat(model: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(model.neck.units.parameters())


def test_ema_hook(tmp_path: Path) -> None:
    batch = dict(
        inputs=images(),
        data_samples=[DataSample().set_gt_label(i) for i in range(4)],
    )
    average, weights = EMAHook(momentum=0.5), Weights()
    runner = Runner(
        model=narrow(),
        work_dir=str(tmp_path),
        experiment_name=tmp_path.name,
        train_dataloader=DataLoader([batch] * 3, collate_fn=lambda b: b[0]),
        train_cfg=dict(by_epoch=False, max_iters=3),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_scope='mmpretrain',
    )
    runner.register_hook(average)
    runner.register_hook(weights)
    runner.train()
    first, second, third = (step.detach() for step in weights.history)
    assert not torch.equal(first, third)
    expected = 0.5 * (0.5 * first + 0.5 * second) + 0.5 * third
    torch.testing.assert_close(flat(average.ema_model.module), expected)
    # For validation the hook swaps the weights of the two models.
    average.before_val_epoch(runner)
    torch.testing.assert_close(flat(runner.model), expected)
    average.after_val_epoch(runner)
    torch.testing.assert_close(flat(runner.model), third)


def test_two_models_do_not_mix() -> None:
    first, second = (shaken(narrow(seed=s), s).eval() for s in (1, 2))
    x = images()
    with torch.no_grad():
        alone = first(x), second(x)
        # The second runs between two stages of the first.
        handle = first.backbone.layer2.register_forward_pre_hook(
            lambda *_: [second(x), None][1]
        )
        assert torch.equal(first(x), alone[0])
        handle.remove()
        assert torch.equal(second(x), alone[1])
