import math

from mmengine.logging import MessageHub

from mlfm_mm.engine.history import forget_not_finite


def test_only_the_batch_itself_is_forgotten() -> None:
    hub = MessageHub('forgetting')
    for loss, score in (5.0, math.nan), (1.0, 2.0), (math.inf, 3.0):
        hub.update_scalars({'train/loss': loss, 'val/score': score})
        forget_not_finite(hub)
    hub.update_scalars({'train/loss': 3.0})
    logged = hub.get_scalar('train/loss')
    # A window counts batches, so that of an epoch stays its own.
    assert [logged.mean(n) for n in (1, 2, 3, 4)] == [3, 3, 2, 3]
    assert math.isnan(hub.get_scalar('val/score').mean(3))
