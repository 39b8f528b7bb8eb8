_base_ = '../baseline/resnet18_in100.py'

# The published ResNet-18, alone of them all, has no image gate in its last
# unit.
model = dict(
    neck=dict(type='mlfm_mm.MLFMNeck', supplement=[True] * 5 + [False])
)
