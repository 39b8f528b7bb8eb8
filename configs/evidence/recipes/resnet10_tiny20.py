_base_ = ['../../_base_/models/resnet_in100.py', './tiny20_30e.py']

model = dict(
    backbone=dict(type='mlfm_mm.ShallowResNet', depth=10),
    head=dict(num_classes=20, topk=(1,)),
)
