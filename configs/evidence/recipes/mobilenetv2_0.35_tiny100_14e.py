_base_ = './mobilenetv2_0.35_tiny100.py'

train_cfg = dict(max_epochs=14)
