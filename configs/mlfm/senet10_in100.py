_base_ = '../baseline/senet10_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
