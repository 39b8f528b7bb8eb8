_base_ = '../baseline/inceptionnext_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
