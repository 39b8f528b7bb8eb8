_base_ = '../baseline/mobilenetv2_0.35_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
