import os

from mlfm_mm.analysis.machine import describe_machine, place, sentence


def test_a_description_names_what_computes_and_no_one() -> None:
    machine = describe_machine('cpu')
    assert machine['gpu'] is None and machine['threads'] >= 1
    assert f'{os.cpu_count()} cores' in place(machine)
    assert os.uname().nodename not in str(machine)
    assert f'torch {machine["versions"]["torch"]}' in sentence(machine)


def test_a_gpu_is_named_instead_of_the_processor() -> None:
    assert place(dict(describe_machine('cpu'), gpu='Card')) == 'Card'
