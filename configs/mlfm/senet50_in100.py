_base_ = '../baseline/senet50_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
