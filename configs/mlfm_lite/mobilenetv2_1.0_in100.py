_base_ = '../mlfm/mobilenetv2_1.0_in100.py'

model = dict(neck=dict(taps='stages'))
