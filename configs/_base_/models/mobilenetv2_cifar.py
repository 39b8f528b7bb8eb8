_base_ = 'mobilenetv2_in100.py'

# A reduction of 8 instead of 32.
model = dict(backbone=dict(type='mlfm_mm.MobileNetV2_CIFAR'))
