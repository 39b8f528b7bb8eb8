# mmpretrain downloads the images where they are not in the folder.
_base_ = 'mmpretrain::_base_/datasets/cifar100_bs16.py'

train_dataloader = dict(
    # 128 images a step, shared out to all GPUs.
    batch_size=128 // int('{{$WORLD_SIZE:1}}'),
)
val_dataloader = dict(batch_size=256)
test_dataloader = dict(batch_size=256)
