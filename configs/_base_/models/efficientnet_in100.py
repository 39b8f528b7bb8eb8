_base_ = 'mmpretrain::_base_/models/efficientnet_b0.py'

model = dict(head=dict(num_classes=100))
