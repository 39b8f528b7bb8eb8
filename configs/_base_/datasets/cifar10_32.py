# mmpretrain downloads the images where they are not in the folder.
_base_ = [
    'mmpretrain::_base_/datasets/cifar10_bs16.py',
    '../check_data.py',
]

# batch_size counts the images of a step in all: tools/train.py shares them out
# to the processes (the hosts' own tools give as many to each).
share_batch_size = True
train_dataloader = dict(
    batch_size=128,
)
val_dataloader = dict(batch_size=256)
test_dataloader = dict(batch_size=256)
