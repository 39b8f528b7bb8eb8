_base_ = './sgd_cosine_10e.py'

train_cfg = dict(max_epochs=6)
