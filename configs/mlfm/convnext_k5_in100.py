_base_ = '../baseline/convnext_k5_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
