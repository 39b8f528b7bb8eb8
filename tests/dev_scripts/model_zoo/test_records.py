"""The configs and what is published about them."""

from pathlib import Path

import pytest

from model_zoo import find_configs, read_records
from model_zoo.records import read_published

REPO = Path(__file__).resolve().parents[3]


def test_the_published_table() -> None:
    published = read_published(REPO)
    assert len(published) == 68

    def row(stem: str) -> tuple[float, float]:
        plain, mlfm = (
            published[f'configs/{arm}/{stem}_in100.py']
            for arm in ('baseline', 'mlfm')
        )
        return plain, mlfm

    assert row('resnet18') == (77.86, 81.22)
    assert row('mobilenetv2_0.1') == (58.38, 62.86)
    assert row('regnety_800m') == (82.70, 82.98)
    # The one network that MLFM made worse.
    assert row('efficientnet_b0') == (83.84, 83.44)
    assert row('convnext_k3_par1_8') == (88.03, 88.30)
    assert row('inceptionnext') == (87.58, 88.06)


def test_each_config_has_a_record_and_a_name_of_its_own() -> None:
    records = read_records(REPO)
    assert [record.path for record in records] == find_configs(REPO)
    assert len({record.name for record in records}) == len(records) > 100
    # A data set that is not known has no name.
    assert all(record.dataset for record in records)
    # A second form of the memory in a network that has its pair.
    forms = [record for record in records if '_concat' in record.stem]
    assert [record.arm for record in forms] == ['mlfm']
    # Each baseline is followed by its MLFM, which costs more than a lite one.
    lite = [record for record in records if record.arm == 'mlfm_lite']
    for record in lite:
        full = records[records.index(record) - 1]
        assert full.stem == record.stem and full.arm == 'mlfm'
        assert full.params > record.params and full.macs > record.macs
        assert record.name == full.name.replace('-mlfm_', '-mlfm_lite_')
    pairs = [record for record in records if record not in forms + lite]
    for plain, mlfm in zip(pairs[::2], pairs[1::2], strict=True):
        assert (plain.arm, mlfm.arm) == ('baseline', 'mlfm')
        assert plain.stem == mlfm.stem and plain.params < mlfm.params


def test_counts_must_fit_the_configs(tmp_path: Path) -> None:
    (tmp_path / 'configs' / 'mlfm').mkdir(parents=True)
    (tmp_path / 'configs' / 'mlfm' / 'x_in100.py').touch()
    with pytest.raises(ValueError, match=r'mlfm/x_in100.py; run .* costs'):
        read_records(tmp_path)
