"""The line of a long loop: none for a short one, updated in place, and kept at the end."""

from buttermilk_nb._internal import progress_line
from buttermilk_nb._internal.progress_line import ProgressLine


def shown(monkeypatch, capsys, seconds_each, total=5, live=True):
    clock = [0.0]
    monkeypatch.setattr(progress_line.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(progress_line.sys.stderr, "isatty", lambda: live, raising=False)
    monkeypatch.delitem(progress_line.sys.modules, "ipykernel", raising=False)
    line = ProgressLine("read", "files", total)
    for done in range(1, total + 1):
        clock[0] += seconds_each
        line.update(done)
    return capsys.readouterr().err


def test_a_short_loop_shows_nothing(monkeypatch, capsys):
    assert shown(monkeypatch, capsys, 0.1) == ""


def test_a_long_loop_is_updated_in_place_and_ends_with_its_time(monkeypatch, capsys):
    assert shown(monkeypatch, capsys, 1.5) == (
        "\rread 2 of 5 files, about 4 s left \rread 3 of 5 files, about 3 s left "
        "\rread 4 of 5 files, about 2 s left \rread 5 of 5 files in 8 s\n"
    )


def test_a_file_gets_the_last_line_alone(monkeypatch, capsys):
    assert shown(monkeypatch, capsys, 1.5, live=False) == "\rread 5 of 5 files in 8 s\n"
