"""Does the memory help a narrow U-Net on street scenes (CamVid)?"""

title = 'U-Net, an eighth of the width, CamVid 256x192'
arms = dict(
    plain=dict(title='plain', config='../baseline/unet_w8_camvid.py'),
    mlfm=dict(title='MLFM', config='../mlfm/unet_w8_camvid.py'),
)
baselines = ['plain']
seeds = [0, 1, 2]
metric = 'mIoU'
