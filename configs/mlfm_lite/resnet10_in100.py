_base_ = '../mlfm/resnet10_in100.py'

model = dict(neck=dict(taps='stages'))
