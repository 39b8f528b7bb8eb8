_base_ = ['../../_base_/models/resnet_in100.py', './tiny100_60e.py']
