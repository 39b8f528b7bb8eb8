_base_ = '../baseline/convnext_tiny_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
