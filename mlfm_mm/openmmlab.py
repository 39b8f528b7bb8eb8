"""Make our configs known to MMEngine's ``_base_`` and to mmpretrain's hub."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.fileio import dump, load

PACKAGE = Path(__file__).resolve().parent
# Where mmpretrain's hub has this model, it has all of ours.
KNOWN = 'resnet18-mlfm_in100'
TASK = 'Image Classification'


def know_mmseg_by_its_module() -> None:
    """Let ``_base_ = 'mmseg::...'`` find onedl-mmsegmentation.

    MMEngine looks up such bases by a distribution, ``mmsegmentation``, which
    the onedl family does not have; it also accepts the name of the module,
    which both have. Its other hosts are listed by their module already.

    Example:
        >>> know_mmseg_by_its_module()
        >>> base = 'mmseg::_base_/models/fcn_unet_s5-d16.py'
        >>> Config.fromstring(f'_base_ = {base!r}', '.py').model.type
        'EncoderDecoder'
    """
    try:
        version('mmsegmentation')
    except PackageNotFoundError:
        MODULE2PACKAGE['mmseg'] = 'mmseg'


def know_own_configs() -> None:
    """Let ``_base_ = 'mlfm_mm::mlfm/resnet18_in100.py'`` find our configs.

    MMEngine accepts a fixed list of packages for such bases. It would also
    resolve a base's types in the scope of its package, whereas our configs
    are written for the scopes of their hosts.

    Example:
        >>> know_own_configs()
        >>> base = 'mlfm_mm::mlfm/resnet18_in100.py'
        >>> Config.fromstring(f'_base_ = {base!r}', '.py').model.neck.type
        'mlfm_mm.MLFMNeck'
    """
    find_others = Config._get_cfg_path
    if find_others.__module__ == __name__:
        return  # already patched

    def find(cfg_path: str, filename: str) -> tuple[str, str | None]:
        package, _, name = cfg_path.rpartition('::')
        if package != __package__:
            return find_others(cfg_path, filename)
        return str(own_config(name)), None

    Config._get_cfg_path = staticmethod(find)


def own_config(name: str) -> Path:
    """Find one of our configs, in a clone or in an installed package.

    Args:
        name (str): Its name within ``configs``.

    Returns:
        Path: The file.

    Raises:
        FileNotFoundError: There is none of this name, or the package came
            without configs.

    Example:
        >>> own_config('mlfm/resnet18_in100.py').name
        'resnet18_in100.py'
    """
    root = shipped_files()
    if root is None:
        raise FileNotFoundError(
            f'mlfm_mm::{name}: this {__package__} came without its configs; '
            'install it by pip, or use a clone'
        )
    path = root / 'configs' / name
    if not path.is_file():
        raise FileNotFoundError(
            f'mlfm_mm::{name}: there is no such config in {root / "configs"}'
        )
    return path


def shipped_files() -> Path | None:
    """Find the folder with our configs and their model index.

    Returns:
        Path: The one inside an installed package, else the clone; None
        where the configs are not shipped.
    """
    for root in (PACKAGE / '.mim', PACKAGE.parent):
        index = root / 'model-index.yml'
        if index.is_file() and (root / 'configs' / 'mlfm').is_dir():
            return root
    return None


def register_models() -> None:
    """Make ``get_model`` and ``list_models`` of mmpretrain know the configs.

    Does nothing where mmpretrain or the configs are missing, nor when called
    again. Segmentors are left out, since mmpretrain cannot build them.

    Example:
        >>> from mmpretrain import list_models
        >>> register_models()
        >>> list_models('resnet10-mlfm_in100')
        ['resnet10-mlfm_in100']
    """
    root = shipped_files()
    if root is None or find_spec('mmpretrain') is None:
        return
    from mmpretrain.apis import ModelHub

    if ModelHub.has(KNOWN):
        return
    with TemporaryDirectory() as folder:
        index = Path(folder) / 'model-index.json'
        dump(classifiers(root), index)
        ModelHub.register_model_index(index, config_prefix=root)


def classifiers(root: Path) -> dict[str, list[dict]]:
    """Read the part of our model index that mmpretrain can build.

    Args:
        root (Path): The folder with the index.

    Returns:
        dict[str, list[dict]]: A model index.

    Example:
        >>> len(classifiers(shipped_files())['Models']) > 80
        True
    """
    files = [load(root / p) for p in load(root / 'model-index.yml')['Import']]
    models = [model for file in files for model in file['Models']]
    for model in models:
        if 'Weights' in model:  # absolute, for any working directory
            model['Weights'] = str(root / model['Weights'])
    return dict(
        Collections=[c for file in files for c in file.get('Collections', [])],
        Models=[m for m in models if m['Results'][0]['Task'] == TASK],
    )
