_base_ = '../baseline/senet34_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
