"""The query points of `evaluate.queries`, as rows of features."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, first_of


def query_rows(queries: Sequence[Any], features: Sequence[str]) -> NDArray[np.float64]:
    """Return the queries as a matrix: [queries, features].

    Raises UserError if a query has another number of values than there are features. The features
    may come from a file, so params.yaml alone cannot be checked.
    """
    for index, query in enumerate(queries):
        if len(query) != len(features):
            raise UserError(
                f"evaluate.queries[{index}]: found {count(len(query), 'number')}; must be"
                f" {len(features)}, one for each feature ({first_of(features, 8)}), or"
                " evaluate.queries must be []"
            )
    return np.array(queries, dtype=np.float64).reshape(-1, len(features))
