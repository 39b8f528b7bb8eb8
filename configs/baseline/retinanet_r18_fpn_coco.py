# mmdet's own recipe: 8 GPUs with 2 images each.
_base_ = [
    'mmdet::retinanet/retinanet_r18_fpn_1x_coco.py',
    '../_base_/check_data.py',
]
