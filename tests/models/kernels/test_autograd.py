"""What the autograd functions refuse."""

import pytest
import torch

from mlfm_mm.models.kernels.autograd import refuse_second_derivative


def test_only_a_second_derivative_is_refused() -> None:
    with torch.no_grad():
        refuse_second_derivative()
    with pytest.raises(RuntimeError, match='with kernels=False'):
        refuse_second_derivative()
