from pathlib import Path

from mlfm_mm.analysis.robustness_figure import draw_robustness


def test_a_panel_for_each_family(tmp_path: Path) -> None:
    run = {'clean': 60.0, 'blur 1': 50.0, 'blur 2': 30.0, 'jpeg 10': 40.0}
    other = {condition: score + 2 for condition, score in run.items()}
    figure = draw_robustness(
        dict(plain=[run, other], memory=[other, other]), 'top-1 (%)', 'title'
    )
    blur, jpeg, bars = figure.axes[:3]
    assert blur.get_title() == 'blur' and jpeg.get_title() == 'jpeg'
    plain = blur.get_lines()[0]
    assert plain.get_ydata().tolist() == [61, 51, 31]
    ticks = [tick.get_text() for tick in blur.get_xticklabels()]
    assert ticks == ['clean', '1', '2']
    widths = [bar.get_width() for bar in bars.patches]
    # ((61 + 51) / 2 + (51 + 31) / 2) / 2, and (61 + 41) / 2
    assert widths[:2] == [48.5, 51]
    figure.savefig(tmp_path / 'x.png')
