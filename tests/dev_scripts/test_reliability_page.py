"""Tables of docs/reliability.md."""

import reliability_page


def test_kills() -> None:
    runs = [
        dict(kind='SIGKILL', way=way, outcome=outcome)
        for way, outcome in [
            ('ours', 'same bits'),
            ('ours', 'same bits'),
            ('keep_all', 'other weights'),
        ]
    ]
    table = reliability_page.kills_table(runs)
    assert table.splitlines()[2] == (
        '| SIGKILL | 2 of 2 same bits | 0 of 1 same bits, 1 other weights '
        '| - |'
    )


def test_inputs() -> None:
    rows = [dict(input='torn', ours='goes on', keep_all='stops')]
    table = reliability_page.inputs_table(rows)
    assert table.splitlines()[2] == '| torn | goes on | stops |'
