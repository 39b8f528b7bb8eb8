# The digits, pale under a fine grain: their shapes are in the low bands.
_base_ = './digits_32.py'

data_preprocessor = dict(mean=[120.0] * 3, std=[45.0] * 3)
train_pipeline = [
    dict(type='Resize', scale=32, interpolation='bilinear'),
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='mlfm_mm.AddTexture'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='Resize', scale=32, interpolation='bilinear'),
    dict(type='mlfm_mm.AddTexture'),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
