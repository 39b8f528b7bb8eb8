"""The update gate against the formulas."""

import pytest
import torch

from mlfm_mm.models.update import check_update, meet_trunk

X, LOW = torch.randn(2, 1, 4, 3, 3)


@pytest.mark.parametrize('in_place', [False, True])
@pytest.mark.parametrize('identity_init', [False, True])
@pytest.mark.parametrize('update', ['add', 'concat'])
def test_equals_the_formulas(
    update: str, identity_init: bool, in_place: bool
) -> None:
    x, low = X.clone(), LOW.clone()
    total, memory = meet_trunk(x, low, update, identity_init, in_place)
    assert torch.equal(total, LOW if identity_init else X + LOW)
    expected = torch.cat((X, LOW), 1) if update == 'concat' else X + LOW
    assert torch.equal(memory, expected)
    assert torch.equal(x, X)
    if not in_place:
        assert torch.equal(low, LOW)


def test_an_unknown_update() -> None:
    with pytest.raises(ValueError, match="update='sum' is unknown"):
        check_update('sum')
