_base_ = '../mlfm/resnet50_in100.py'

model = dict(neck=dict(taps='stages'))
