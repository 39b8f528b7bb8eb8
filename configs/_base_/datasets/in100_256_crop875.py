_base_ = 'in100_256.py'

# The shorter edge at 256 / 0.875 pixels, then its centre: the pipeline with
# which the authors' published weights are as right as in their own code.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ResizeEdge', scale=292, edge='short', backend='pillow'),
    dict(type='CenterCrop', crop_size=256),
    dict(type='PackInputs'),
]

val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
