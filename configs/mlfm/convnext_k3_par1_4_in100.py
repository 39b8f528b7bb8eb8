_base_ = '../baseline/convnext_k3_par1_4_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
