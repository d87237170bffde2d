"""The kinds of learning task, named once for the problem file, the bundle and the methods."""

from typing import Literal

LearningTask = Literal["binary", "multiclass", "regression"]
"""`binary`: the probability of one of two classes; `multiclass`: a probability for each class;
`regression`: a number."""
