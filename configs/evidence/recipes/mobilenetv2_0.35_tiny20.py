_base_ = ['../../_base_/models/mobilenetv2_in100.py', './tiny20_30e.py']

model = dict(backbone=dict(widen_factor=0.35), head=dict(num_classes=20))
