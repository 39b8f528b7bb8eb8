_base_ = [
    '../_base_/models/mobilenetv2_cifar.py',
    '../_base_/datasets/tiny100_64.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]
