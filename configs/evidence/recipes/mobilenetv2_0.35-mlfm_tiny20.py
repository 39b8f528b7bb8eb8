_base_ = './mobilenetv2_0.35_tiny20.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
