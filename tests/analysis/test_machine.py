import os

import pytest
import torch

from mlfm_mm.analysis.machine import describe_machine, place


def test_a_description_names_what_computes_and_no_one() -> None:
    machine = describe_machine('cpu')
    assert machine['gpu'] is None and machine['threads'] >= 1
    assert f'{os.cpu_count()} cores' in place(machine)
    assert os.uname().nodename not in str(machine)


def test_a_gpu_is_named_instead_of_the_processor() -> None:
    assert place(dict(describe_machine('cpu'), gpu='Card')) == 'Card'


def test_the_gpu_that_was_asked_for_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cards = dict(zip(('cuda', 'cuda:1'), ('Card 0', 'Card 1'), strict=True))
    monkeypatch.setattr(torch.cuda, 'get_device_name', cards.get)
    assert describe_machine('cuda:1')['gpu'] == 'Card 1'
    assert describe_machine('mps')['gpu'] is None
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    assert describe_machine()['gpu'] == 'Card 0'
