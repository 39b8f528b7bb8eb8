_base_ = 'mmseg::_base_/models/fcn_unet_s5-d16.py'

# U-Net halves four times and refuses sizes that are no multiples of 16: pad
# crops and pictures of any size.
model = dict(
    data_preprocessor=dict(size_divisor=16, test_cfg=dict(size_divisor=16)),
)
