_base_ = '../baseline/regnety_800m_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
