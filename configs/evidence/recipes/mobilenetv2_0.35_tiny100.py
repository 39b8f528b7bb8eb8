_base_ = ['../../_base_/models/mobilenetv2_in100.py', './tiny100_60e.py']

model = dict(backbone=dict(widen_factor=0.35))
