"""The weights in the repository: found by name, and as good as recorded."""

import zipfile
from pathlib import Path

import pytest
import torch

pytest.importorskip('mmpretrain')

from mmengine.fileio import load
from mmpretrain import get_model
from mmpretrain.apis import ModelHub

from mlfm_mm.analysis.complexity import measure_complexity
from mlfm_mm.analysis.evidence import read_records
from mlfm_mm.analysis.robustness import measure_robustness
from mlfm_mm.analysis.sizes import image_size
from mlfm_mm.engine.models import build_model
from mlfm_mm.engine.options import load_config
from tests.conftest import require
from tests.tools.helpers import run_tool, write_image

REPO = Path(__file__).resolve().parents[1]
MODELS = load(REPO / 'configs/evidence/metafile.yml')['Models']
NAMES = [model['Name'] for model in MODELS]


@pytest.mark.parametrize('name', NAMES)
def test_found_by_name_from_anywhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = get_model(name, pretrained=True)
    path = Path(ModelHub.get(name).weights)
    state = torch.load(path)['state_dict']
    assert path.stat().st_size < 3e6
    own = model.state_dict()
    assert own.keys() == state.keys()
    for key, value in state.items():
        assert torch.equal(own[key].to(value.dtype), value), key
    assert ('neck.' in ' '.join(state)) == ('-mlfm' in name)
    classes = model._dataset_meta['classes']
    assert len(classes) == 20 and 'goldfish' in classes[0]


@pytest.mark.parametrize('entry', MODELS, ids=NAMES)
def test_the_metafile_says_what_was_recorded(entry: dict) -> None:
    records = read_records(REPO / 'docs/results/evidence/tiny20.jsonl')
    arm = 'mlfm' if '-mlfm' in entry['Name'] else 'plain'
    (record,) = (r for r in records if (r['arm'], r['seed']) == (arm, 0))
    assert entry['Results'][0]['Metrics'] == {
        'Top 1 Accuracy': record['final']
    }
    cfg = load_config(str(REPO / entry['Config']))
    cost = measure_complexity(build_model(cfg), image_size(cfg))
    counted = entry['Metadata']['Parameters'], entry['Metadata']['FLOPs']
    assert counted == (cost.params, cost.macs)


def test_other_options_than_those_trained_are_refused() -> None:
    (entry,) = (e for e in MODELS if '-mlfm' in e['Name'])
    cfg = load_config(str(REPO / entry['Config']))
    cfg.model.neck.wavelet = 'db2'
    state = torch.load(REPO / entry['Weights'])['state_dict']
    with pytest.raises(RuntimeError, match='wavelet=haar, not wavelet=db2'):
        build_model(cfg).load_state_dict(state)


@pytest.fixture(scope='module')
def validation_images(
    data_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The validation images of Tiny ImageNet-100, in place of both splits."""
    folder = tmp_path_factory.mktemp('tiny')
    for part in 'ab':
        archive = require(data_root / f'tiny_imagenet100_{part}.zip')
        with zipfile.ZipFile(archive) as file:
            names = [n for n in file.namelist() if n.startswith('val/')]
            file.extractall(folder, names)
    (folder / 'train').symlink_to(folder / 'val')
    return folder


@pytest.mark.slow
@pytest.mark.parametrize('entry', MODELS, ids=NAMES)
def test_as_good_as_recorded(entry: dict, validation_images: Path) -> None:
    root = str(validation_images)
    scores = measure_robustness(
        str(REPO / entry['Config']),
        str(REPO / entry['Weights']),
        corruptions=(),
        overrides={'test_dataloader.dataset.data_root': root},
    )
    recorded = entry['Results'][0]['Metrics']['Top 1 Accuracy']
    # The weights are kept in half precision: an image or two.
    assert scores['clean'] == pytest.approx(recorded, abs=0.25)


def test_a_photograph_without_a_config(tmp_path: Path) -> None:
    write_image(tmp_path / 'photo.png', 0, 100)
    printed = run_tool('image_demo.py', 'photo.png', cwd=tmp_path)
    assert 'wrote demo.png' in printed and (tmp_path / 'demo.png').is_file()
    failed = run_tool(
        'image_demo.py', 'photo.png', 'net.py', cwd=tmp_path, fails=True
    )
    assert 'net.py needs its weights' in failed
