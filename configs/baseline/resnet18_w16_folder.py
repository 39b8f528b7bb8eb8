_base_ = [
    '../_base_/models/resnet18_w16.py',
    '../_base_/datasets/folder_64.py',
    '../_base_/schedules/sgd_cosine_10e.py',
    '../_base_/default_runtime.py',
]
