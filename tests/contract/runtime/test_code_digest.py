from pathlib import Path

from contract.runtime.code_digest import code_digest, code_stamps


def tree(root: Path, body: str = "a = 1\n", lock: str | None = "boto3==1\n") -> Path:
    for name in ("contract/a.py", "tasks/split/task.py", "tasks/tuning/task.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(body)
    if lock is not None:
        (root / "locks").mkdir(exist_ok=True)
        (root / "locks/tasks.txt").write_text(lock)
    return root


def test_the_same_sources_have_the_same_digest(tmp_path: Path) -> None:
    assert code_digest("split", tree(tmp_path / "a")) == code_digest("split", tree(tmp_path / "b"))


def test_a_changed_source_or_lock_changes_it(tmp_path: Path) -> None:
    digests = {
        code_digest("split", tree(tmp_path / "a")),
        code_digest("split", tree(tmp_path / "b", body="a = 2\n")),
        code_digest("split", tree(tmp_path / "c", lock="boto3==2\n")),
        code_digest("split", tree(tmp_path / "d", lock=None)),
    }

    assert len(digests) == 4


def test_another_stage_does_not(tmp_path: Path) -> None:
    tree(tmp_path / "a")
    tree(tmp_path / "b")
    (tmp_path / "b/tasks/tuning/task.py").write_text("other = 1\n")

    assert code_digest("split", tmp_path / "a") == code_digest("split", tmp_path / "b")


def test_an_edit_a_new_file_and_another_lock_show_in_the_stamps(tmp_path: Path) -> None:
    for name in ("contract/a.py", "tasks/split/task.py", "pages/page.css", "locks/tasks.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("one\n")
    before = code_stamps(tmp_path)

    (tmp_path / "tasks/split/task.py").write_text("other\n")
    (tmp_path / "tasks/split/cut.py").touch()
    (tmp_path / "locks/tasks.txt").write_text("")

    after = code_stamps(tmp_path)
    changed = {name for name, stamp in after.items() if before.get(name) != stamp}
    assert changed == {"tasks/split/task.py", "tasks/split/cut.py", "locks/tasks.txt"}
