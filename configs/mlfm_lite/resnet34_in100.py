_base_ = '../mlfm/resnet34_in100.py'

model = dict(neck=dict(taps='stages'))
