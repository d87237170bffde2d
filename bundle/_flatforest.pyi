def build(
    nodes: object,
    roots: object,
    bits: object,
    leaves: object,
    init: object,
    features: int,
    outputs: int,
    width: int,
    cast: int,
    float32_sums: int,
    link: int,
    scale: float,
    bias: float,
    /,
) -> object: ...
def predict(forest: object, rows: object, out: object, raw: int, /) -> None: ...
def dense(rows: object, weights: object, bias: object, out: object, relu: int, /) -> None: ...
