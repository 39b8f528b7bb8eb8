_base_ = './unet_s5_d16.py'

# An eighth of the width, for a run on a CPU, where SyncBN has no use. Of so
# few channels none can be dropped.
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    backbone=dict(base_channels=8, norm_cfg=norm_cfg),
    decode_head=dict(
        in_channels=8, channels=32, dropout_ratio=0, norm_cfg=norm_cfg
    ),
    auxiliary_head=dict(
        in_channels=16, channels=16, dropout_ratio=0, norm_cfg=norm_cfg
    ),
)
