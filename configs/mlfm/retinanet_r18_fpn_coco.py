_base_ = '../baseline/retinanet_r18_fpn_coco.py'

model = dict(
    neck=dict(
        _delete_=True,
        type='mlfm_mm.MLFMNeck',
        neck={{_base_.model.neck}},
    )
)
