"""A place for images that is no folder, as cloud storage is."""

from pathlib import Path

import pytest
from mmengine.fileio import BaseStorageBackend, register_backend


class Storage(BaseStorageBackend):
    """It holds what lies in a folder."""

    root: Path

    def get(self, filepath: str) -> bytes:
        return (self.root / filepath.removeprefix('store://')).read_bytes()

    def get_text(self, filepath: str) -> str:
        return self.get(filepath).decode()


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder behind ``store://``."""
    register_backend('store', Storage, force=True, prefixes='store')
    monkeypatch.setattr(Storage, 'root', tmp_path, raising=False)
    return tmp_path
