"""Problem files are found in folders, and as keys of a ConfigMap."""

from pathlib import Path

from contract.problem import problem_files, problem_folders


def test_a_folder_names_its_problem(tmp_path: Path) -> None:
    (tmp_path / "wine").mkdir()
    file = tmp_path / "wine" / "problem.yaml"
    file.touch()

    assert problem_files(tmp_path) == {"wine": file}


def test_a_key_of_a_configmap_names_its_problem(tmp_path: Path) -> None:
    """kubelet keeps the files of a ConfigMap in a hidden folder, and links to them."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "wine.problem.yaml").touch()
    file = tmp_path / "wine.problem.yaml"
    file.symlink_to(Path("..data") / "wine.problem.yaml")
    (tmp_path / "wine.expectations.json").touch()

    assert problem_files(tmp_path) == {"wine": file}


def test_of_two_folders_with_one_problem_the_earlier_counts(tmp_path: Path) -> None:
    added, mine = tmp_path / "added", tmp_path / "mine"
    for file in (added / "wine", mine / "wine", mine / "beer"):
        file.mkdir(parents=True)
        (file / "problem.yaml").touch()

    found = problem_files(added, mine)

    assert found == {
        "beer": mine / "beer" / "problem.yaml",
        "wine": added / "wine" / "problem.yaml",
    }
    assert problem_folders(f"{added}:{mine}") == (added, mine)
    assert problem_folders("") == ()
