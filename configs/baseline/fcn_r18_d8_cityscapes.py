_base_ = [
    'mmseg::fcn/fcn_r18-d8_4xb2-80k_cityscapes-512x1024.py',
    '../_base_/check_data.py',
]
