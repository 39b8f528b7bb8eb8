_base_ = '../baseline/regnetx_600m_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
