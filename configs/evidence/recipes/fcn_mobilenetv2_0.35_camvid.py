# A small backbone that a classifier may have trained, and a head that sees its
# maps of four sizes; CamVid at 256x192, 16 epochs.
_base_ = [
    '../../_base_/datasets/camvid_192.py',
    '../../_base_/schedules/adamw_seg_40e.py',
    '../../_base_/default_runtime_seg.py',
]

norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=32,
        test_cfg=dict(size_divisor=32),
    ),
    backbone=dict(
        type='mmpretrain.MobileNetV2',
        widen_factor=0.35,
        out_indices=(1, 2, 4, 6),
    ),
    decode_head=dict(
        type='FCNHead',
        in_channels=[8, 16, 32, 112],
        in_index=[0, 1, 2, 3],
        input_transform='resize_concat',
        channels=64,
        kernel_size=1,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0,
        num_classes=11,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', loss_weight=1.0),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
train_cfg = dict(max_epochs=16)
default_hooks = dict(checkpoint=dict(save_best=None))
custom_hooks = [
    dict(type='mlfm_mm.CheckDataHook'),
    dict(type='mlfm_mm.UnreadableReportHook'),
    # Faster on a CPU, where depthwise convolutions are slow.
    dict(type='mlfm_mm.ChannelsLastHook'),
]
