"""Run a network that tools/export.py wrote, without torch or OpenMMLab.

    python demo/run_onnx.py network.onnx photo.jpg

needs numpy, Pillow and onnxruntime.
"""

import json
import os
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def read_picture(photo: str) -> Image.Image:
    """Read a photograph as its camera held it, in 8 bits per channel."""
    image = ImageOps.exif_transpose(Image.open(photo))
    if image.mode.startswith('I'):
        # 16 bits of grey, of which convert() would make white.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert('RGB')


def bring_to_size(image: Image.Image, facts: dict) -> Image.Image:
    """Resize a picture as the test pipeline did, by the file's metadata."""
    if facts['size'] is None:
        step = facts['size_divisor']
        return image.resize([max(1, n // step) * step for n in image.size])
    size, mode = facts['size'][::-1], Image.Resampling.BILINEAR
    sides = np.array(image.size)
    scale = sides * facts['crop_pct'] / size
    if facts.get('keep_ratio', True):
        scale[:] = scale.min()
    corner = np.maximum((sides - scale * size) / 2, 0)
    if facts.get('antialias', True):
        end = np.minimum(corner + scale * size, sides)
        return image.resize(size, mode, (*corner, *end))
    steps = scale[0], 0, corner[0], 0, scale[1], corner[1]
    return image.transform(size, Image.Transform.AFFINE, steps, mode)


def run(network: str, photo: str) -> None:
    """Name the classes of a photograph, or write the mask of its segments."""
    session = onnxruntime.InferenceSession(network)
    metadata = session.get_modelmeta().custom_metadata_map
    facts = {key: json.loads(value) for key, value in metadata.items()}
    picture = read_picture(photo)
    image = bring_to_size(picture, facts)
    if session.get_inputs()[0].shape[1] == 1:  # a network on grey pictures
        image = image.convert('L')
    pixels = np.asarray(image).reshape(*image.size[::-1], -1)
    pixels = pixels[..., :: 1 if facts['order'] == 'RGB' else -1]
    x = ((pixels - facts['mean']) / facts['std']).transpose(2, 0, 1)[None]
    (logits,) = session.run(None, dict(image=x.astype(np.float32)))
    if facts['task'].endswith('classification'):
        scores = np.exp(logits[0] - logits.max())
        scores /= scores.sum()
        if facts['task'].startswith('multi-label'):
            # The sigmoid, in a form that cannot overflow.
            scores = (1 + np.tanh(logits[0] / 2)) / 2
        for i in np.argsort(-scores)[:3]:
            print(f'{scores[i]:.3f}', facts['classes'][i])
    else:
        mask = Image.fromarray(logits[0].argmax(0).astype(np.uint8))
        mask.putpalette(np.array(facts['palette'], np.uint8).tobytes())
        mask.resize(picture.size).save('mask.png')
        print('wrote mask.png')


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit('usage: python demo/run_onnx.py network.onnx photo.jpg')
    for name in sys.argv[1:]:
        if not os.path.isfile(name):
            sys.exit(f'run_onnx.py: there is no file {name}')
    run(*sys.argv[1:])
