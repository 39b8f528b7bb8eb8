"""Whether a pass is run, or only looked at by a compiler or an exporter."""

import torch


def traced() -> bool:
    """Tell whether a compiler or an exporter is looking on.

    Returns:
        bool: Whether it is. Then nothing may depend on a shape, and the
        plain formulas are what it optimizes best.

    Example:
        >>> traced()
        False
    """
    return torch.compiler.is_compiling() or torch.jit.is_tracing()
