from fixtures_models import dataset_of

from methods.models.encoders.column import EncodingSettings
from methods.models.encoding import fit_encoding
from tasks.training.golden import ROWS, GoldenRow, golden_rows


def made(seed: int = 0) -> list[GoldenRow]:
    dataset = dataset_of(400)
    encoding, _ = fit_encoding(dataset.schema, dataset.table, dataset.truth, EncodingSettings(), 0)
    return golden_rows(encoding, dataset.table, seed)


def test_there_are_as_many_rows_as_were_promised() -> None:
    assert len(made()) == ROWS


def test_no_golden_row_is_a_row_of_the_data() -> None:
    real = {(row["size"], row["ratio"]) for row in dataset_of(400).table.to_pylist()}

    assert not any((row["size"], row["ratio"]) in real for row in made()[:50])


def test_missing_empty_unseen_and_garbage_are_among_them() -> None:
    values = [set(row.values()) for row in made()]

    assert all({odd} in values for odd in (None, "", "never seen before", "1_0", "inf"))
    assert set() in values


def test_categories_are_ones_that_the_encoder_knows() -> None:
    shops = {row["shop"] for row in made()[:50]} - {None}

    assert shops <= {f"shop {number}" for number in range(60)}


def test_a_seed_repeats_them() -> None:
    assert made(3) == made(3)
