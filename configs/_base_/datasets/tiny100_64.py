# 100 classes of Tiny ImageNet-200 as train/<wnid>/ and val/<wnid>/.
_base_ = 'folder_64.py'

data_root = 'data/tiny_imagenet100'
source = (
    'Tiny ImageNet-200 is at http://cs231n.stanford.edu/tiny-imagenet-200.zip;'
    ' unpack it, then: python tools/dataset_converters/tiny_imagenet.py '
    f'tiny-imagenet-200 {data_root}'
)
data_preprocessor = dict(num_classes=100)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='RandomCrop', crop_size=64, padding=8),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
# The images have 64 pixels.
test_pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
# batch_size counts the images of a step in all: tools/train.py shares them out
# to the processes (the hosts' own tools give as many to each).
share_batch_size = True
train_dataloader = dict(
    batch_size=128,
    num_workers=4,
    dataset=dict(data_root=data_root, source=source, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=4,
    dataset=dict(data_root=data_root, source=source, pipeline=test_pipeline),
)
val_evaluator = dict(type='Accuracy', topk=(1, 5))
test_dataloader = val_dataloader
test_evaluator = val_evaluator
