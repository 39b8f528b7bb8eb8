import pytest
from mmengine.config import Config
from mmengine.registry import HOOKS, VISUALIZERS
from mmengine.visualization import Visualizer

from mlfm_mm.engine import HOSTS, UsageError, find_host
from tests.hosts import needs_mmseg


@pytest.mark.parametrize(
    'scope', ['mmpretrain', pytest.param('mmseg', marks=needs_mmseg)]
)
def test_the_table_is_true(scope: str) -> None:
    host = find_host(Config(dict(default_scope=scope)))
    assert host is HOSTS[scope]
    with HOOKS.switch_scope_and_registry(scope) as hooks:
        hook = hooks.get(host.visualization_hook)
    with VISUALIZERS.switch_scope_and_registry(scope) as visualizers:
        assert visualizers.get(host.visualizer) is not None
    Visualizer.get_instance('for a hook to find')
    # Built as the tools do, it has the switch.
    assert getattr(hook(**{host.draw_switch: True}), host.draw_switch)


@pytest.mark.parametrize(
    ('cfg', 'message'),
    [
        (dict(), 'has no default_scope'),
        (dict(default_scope='mmocr'), "'mmocr' is not known here"),
    ],
)
def test_unknown(cfg: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find_host(Config(cfg))
