_base_ = '../mlfm/mobilenetv2_0.35_in100.py'

model = dict(neck=dict(taps='stages'))
