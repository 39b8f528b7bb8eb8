"""What OpenMMLab's tools learn of the zoo."""

import yaml

from model_zoo import Record
from model_zoo.metafiles import TRAINED_HERE, metafiles


def models(records: list[Record], arm: str) -> dict[str, dict]:
    text = metafiles(records)[f'configs/{arm}/metafile.yml']
    return {model['Name']: model for model in yaml.safe_load(text)['Models']}


def test_sources_of_results_are_told_apart(records: list[Record]) -> None:
    model = models(records, 'mlfm')['resnet18-mlfm_in100']
    assert model['Config'] == 'configs/mlfm/resnet18_in100.py'
    assert model['Metadata']['Parameters'] == 11_227_812
    assert model['Results'] == [
        dict(
            Task='Image Classification',
            Dataset='ImageNet-100 (published)',
            Metrics={'Top 1 Accuracy': 81.22},
        ),
        dict(
            Task='Image Classification',
            Dataset='ImageNet-100 (measured)',
            Metrics={
                'Top 1 Accuracy': 80.5,
                'Top 1 Accuracy at the end': 80.0,
                'Runs': 1,
            },
        ),
    ]
    unknown = models(records, 'baseline')['resnet18_cifar10']['Results']
    assert unknown == [
        dict(Task='Image Classification', Dataset='CIFAR-10', Metrics=None)
    ]
    (segmentor,) = models(records, 'mlfm')['fcn_r18_d8-mlfm_camvid']['Results']
    assert segmentor['Task'] == 'Semantic Segmentation'


def test_the_index_names_the_metafiles(records: list[Record]) -> None:
    files = metafiles(records)
    index = yaml.safe_load(files.pop('model-index.yml'))
    assert index['Import'] == [*files, TRAINED_HERE]
    assert all(text.startswith('# Written by') for text in files.values())
