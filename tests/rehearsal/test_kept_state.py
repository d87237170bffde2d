from pathlib import Path

from rehearsal.kept_state import STAMP, keep_or_discard


def test_state_of_the_same_code_is_kept(tmp_path: Path) -> None:
    keep_or_discard(tmp_path)
    (tmp_path / "days.jsonl").write_text("a day")

    keep_or_discard(tmp_path)

    assert (tmp_path / "days.jsonl").exists()


def test_state_of_other_code_is_discarded_and_the_request_stays(tmp_path: Path) -> None:
    keep_or_discard(tmp_path)
    (tmp_path / "days.jsonl").write_text("a day")
    (tmp_path / "store").mkdir()
    (tmp_path / "request.json").write_text("{}")
    (tmp_path / STAMP).write_text("0" * 64)

    keep_or_discard(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == [STAMP, "request.json"]
