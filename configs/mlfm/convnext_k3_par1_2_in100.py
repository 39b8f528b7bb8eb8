_base_ = '../baseline/convnext_k3_par1_2_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
