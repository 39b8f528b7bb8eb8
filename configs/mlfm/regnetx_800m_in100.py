_base_ = '../baseline/regnetx_800m_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
