# A narrow U-Net on small pictures: minutes on a CPU.
_base_ = [
    '../_base_/models/unet_w8.py',
    '../_base_/datasets/camvid_192.py',
    '../_base_/schedules/adamw_seg_40e.py',
    '../_base_/default_runtime_seg.py',
]

model = dict(
    decode_head=dict(num_classes=11),
    auxiliary_head=dict(num_classes=11),
    test_cfg=dict(_delete_=True, mode='whole'),
)
randomness = dict(seed=0)
