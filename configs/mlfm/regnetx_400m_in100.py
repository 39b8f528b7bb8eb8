_base_ = '../baseline/regnetx_400m_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
