_base_ = [
    '../_base_/models/resnet18_w8_cifar.py',
    '../_base_/datasets/textured_digits_32.py',
    '../_base_/schedules/sgd_cosine_6e.py',
    '../_base_/default_runtime.py',
]
