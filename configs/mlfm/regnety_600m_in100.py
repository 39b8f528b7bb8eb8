_base_ = '../baseline/regnety_600m_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
