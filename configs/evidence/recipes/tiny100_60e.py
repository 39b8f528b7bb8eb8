# All hundred classes: 50,000 and 5,000 images; 60 epochs. For a GPU.
_base_ = './tiny20_30e.py'

data_preprocessor = dict(num_classes=100)
train_dataloader = dict(dataset=dict(every_nth_class=1))
val_dataloader = dict(dataset=dict(every_nth_class=1))
test_dataloader = dict(dataset=dict(every_nth_class=1))
train_cfg = dict(max_epochs=60)
