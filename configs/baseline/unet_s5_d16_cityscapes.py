_base_ = [
    'mmseg::unet/unet-s5-d16_fcn_4xb4-160k_cityscapes-512x1024.py',
    '../_base_/check_data.py',
]

# U-Net halves four times and refuses sizes that are no multiples of 16: pad
# crops and pictures of any size.
model = dict(
    data_preprocessor=dict(
        size=None, size_divisor=16, test_cfg=dict(size_divisor=16)
    )
)
