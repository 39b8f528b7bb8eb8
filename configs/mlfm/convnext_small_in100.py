_base_ = '../baseline/convnext_small_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
