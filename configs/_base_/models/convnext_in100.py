_base_ = 'mmpretrain::_base_/models/convnext/convnext-tiny.py'

# It pools by itself, so there is no neck.
model = dict(
    head=dict(num_classes=100),
)
