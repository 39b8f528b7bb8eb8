_base_ = '../mlfm/mobilenetv2_0.1_in100.py'

model = dict(neck=dict(taps='stages'))
