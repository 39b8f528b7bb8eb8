# mmpose's recipe of ResNet-50: 8 GPUs with 64 images each.
_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_res50_8xb64-210e_coco-256x192.py'
)

model = dict(
    backbone=dict(
        depth=18, init_cfg=dict(checkpoint='torchvision://resnet18')
    ),
    head=dict(in_channels=512),
)
custom_hooks = [
    dict(type='SyncBuffersHook'),
    dict(type='mlfm_mm.CheckDataHook'),
    dict(type='mlfm_mm.UnreadableReportHook'),
]
