_base_ = [
    'mmseg::unet/unet-s5-d16_fcn_4xb4-40k_drive-64x64.py',
    '../_base_/check_data.py',
]

# U-Net halves four times and refuses sizes that are no multiples of 16: pad
# crops of any size. Pictures are tested in windows of 64x64.
model = dict(data_preprocessor=dict(size=None, size_divisor=16))
