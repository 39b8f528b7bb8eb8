"""What a run has logged of a batch that it leaves out."""

import math

from mmengine.logging import MessageHub


def forget_not_finite(hub: MessageHub) -> None:
    """Give what is infinite or no number in the last batch no weight.

    Means over the iterations around it would be no number, either. Other
    statistics than means, which a log_processor may ask for, see a zero.

    Args:
        hub (MessageHub): Where the batch was logged last.

    Example:
        >>> hub = MessageHub('forgetful')
        >>> for loss in (2.0, math.nan, 4.0):
        ...     hub.update_scalars({'train/loss': loss})
        ...     forget_not_finite(hub)
        >>> float(hub.get_scalar('train/loss').mean(3))
        3.0
    """
    for name, logged in hub.log_scalars.items():
        values, counts = logged.data
        if name.startswith('train/') and not math.isfinite(values[-1]):
            values[-1] = counts[-1] = 0
