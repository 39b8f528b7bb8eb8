_base_ = [
    'mmseg::_base_/models/fcn_r50-d8.py',
    'mmseg::_base_/datasets/drive.py',
    'mmseg::_base_/default_runtime.py',
    'mmseg::_base_/schedules/schedule_40k.py',
    '../_base_/check_data.py',
]

# Crops and windows as in mmseg's recipe of U-Net on this data set.
model = dict(
    data_preprocessor=dict(size=(64, 64)),
    decode_head=dict(num_classes=2),
    auxiliary_head=dict(num_classes=2),
    test_cfg=dict(mode='slide', crop_size=(64, 64), stride=(42, 42)),
)
