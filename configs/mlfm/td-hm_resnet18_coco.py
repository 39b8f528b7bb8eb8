_base_ = '../baseline/td-hm_resnet18_coco.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
