# scikit-learn's digits of 8x8 pixels, enlarged so that a network of four
# stages has something to reduce. No flips: they change a digit's meaning.
_base_ = '../check_data.py'

dataset_type = 'mlfm_mm.Digits'
data_preprocessor = dict(
    num_classes=10, mean=[78.0] * 3, std=[96.0] * 3, to_rgb=False
)
train_pipeline = [
    dict(type='Resize', scale=32, interpolation='bilinear'),
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='Resize', scale=32, interpolation='bilinear'),
    dict(type='PackInputs'),
]
# So few and small that worker processes would cost more than they save.
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(type=dataset_type, split='train', pipeline=train_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=True),
    drop_last=True,
)
val_dataloader = dict(
    batch_size=128,
    num_workers=0,
    dataset=dict(type=dataset_type, split='test', pipeline=test_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='Accuracy', topk=(1,))
test_dataloader = val_dataloader
test_evaluator = val_evaluator
