_base_ = [
    '../_base_/models/resnet_cifar.py',
    '../_base_/datasets/cifar10_32.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=10))
