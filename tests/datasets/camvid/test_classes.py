import pytest

from mlfm_mm.datasets.camvid.classes import CLASSES, ORIGINAL, split_of


def test_every_class_has_the_colour_of_its_namesake() -> None:
    for name, colour in CLASSES.items():
        original = 'Column_Pole' if name == 'Pole' else name
        assert ORIGINAL[original] == (colour, name)


@pytest.mark.parametrize('name', ['holiday', '0001TP', '0001TP_x'])
def test_pictures_of_others(name: str) -> None:
    with pytest.raises(ValueError, match='is no picture of CamVid'):
        split_of(name)
