"""What the labels of CamVid mean, and which picture is in which split."""

from __future__ import annotations

# The eleven classes that papers compare on, in the order of the labels; the
# colours are those of their largest member in the original labels.
CLASSES = {
    'Sky': (128, 128, 128),
    'Building': (128, 0, 0),
    'Pole': (192, 192, 128),
    'Road': (128, 64, 128),
    'Sidewalk': (0, 0, 192),
    'Tree': (128, 128, 0),
    'SignSymbol': (192, 128, 128),
    'Fence': (64, 64, 128),
    'Car': (64, 0, 128),
    'Pedestrian': (64, 64, 0),
    'Bicyclist': (0, 128, 192),
}
# The label of pixels of no class, in the files.
VOID = 11
# The label that losses and metrics of mmseg ignore.
IGNORE = 255

# The original 32 classes: their colour, and the class they are merged into.
ORIGINAL = {
    'Animal': ((64, 128, 64), 'Pedestrian'),
    'Archway': ((192, 0, 128), 'Building'),
    'Bicyclist': ((0, 128, 192), 'Bicyclist'),
    'Bridge': ((0, 128, 64), 'Building'),
    'Building': ((128, 0, 0), 'Building'),
    'Car': ((64, 0, 128), 'Car'),
    'CartLuggagePram': ((64, 0, 192), 'Pedestrian'),
    'Child': ((192, 128, 64), 'Pedestrian'),
    'Column_Pole': ((192, 192, 128), 'Pole'),
    'Fence': ((64, 64, 128), 'Fence'),
    'LaneMkgsDriv': ((128, 0, 192), 'Road'),
    'LaneMkgsNonDriv': ((192, 0, 64), 'Road'),
    'Misc_Text': ((128, 128, 64), 'SignSymbol'),
    'MotorcycleScooter': ((192, 0, 192), 'Bicyclist'),
    'OtherMoving': ((128, 64, 64), 'Car'),
    'ParkingBlock': ((64, 192, 128), 'Sidewalk'),
    'Pedestrian': ((64, 64, 0), 'Pedestrian'),
    'Road': ((128, 64, 128), 'Road'),
    'RoadShoulder': ((128, 128, 192), 'Sidewalk'),
    'SUVPickupTruck': ((64, 128, 192), 'Car'),
    'Sidewalk': ((0, 0, 192), 'Sidewalk'),
    'SignSymbol': ((192, 128, 128), 'SignSymbol'),
    'Sky': ((128, 128, 128), 'Sky'),
    'TrafficCone': ((0, 0, 64), 'Pole'),
    'TrafficLight': ((0, 64, 64), 'SignSymbol'),
    'Train': ((192, 64, 128), 'Car'),
    'Tree': ((128, 128, 0), 'Tree'),
    'Truck_Bus': ((192, 128, 192), 'Car'),
    'Tunnel': ((64, 0, 64), 'Building'),
    'VegetationMisc': ((192, 192, 0), 'Tree'),
    'Void': ((0, 0, 0), None),
    'Wall': ((64, 192, 0), 'Building'),
}

SPLITS = ('train', 'val', 'test')
# Sequences that are in one split as a whole.
WHOLE = {'0006R0': 'train', 'Seq05VD': 'test'}
# The sequence that was labelled at 15 Hz between these two frames.
DENSE = range(7959, 8160)
# The last frame of the sequence 0001TP for training.
LAST_TRAINED = 8520


def split_of(name: str) -> str:
    """Get the split of a picture, as in SegNet's lists.

    Args:
        name (str): The picture's name without ending, such as
            ``'0016E5_07959'``.

    Returns:
        str: ``'train'``, ``'val'`` or ``'test'``.

    Raises:
        ValueError: No picture of CamVid has such a name.

    Example:
        >>> split_of('Seq05VD_f00000'), split_of('0016E5_07961')
        ('test', 'val')
    """
    sequence, _, frame = name.partition('_')
    number = frame.removeprefix('f')
    if sequence in WHOLE:
        return WHOLE[sequence]
    if sequence == '0001TP' and number.isdecimal():
        return 'train' if int(number) <= LAST_TRAINED else 'test'
    if sequence == '0016E5' and number.isdecimal():
        return 'val' if int(number) in DENSE else 'train'
    known = ', '.join(['0001TP', '0016E5', *WHOLE])
    raise ValueError(
        f'{name!r} is no picture of CamVid: names begin with one of '
        f'{known} and go on with _ and the number of the frame'
    )
