_base_ = '../baseline/convnext_k3_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
