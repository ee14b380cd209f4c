"""Intervals of a line's terms as the report shows them: none of another loss, clustered ones."""

from collections.abc import Mapping
from fractions import Fraction

from pipeline.exact import student
from pipeline.report.facts import Facts, Row

CONFIDENCE = Fraction(95, 100)
CLUSTERED = "std_error_clustered"
NO_INTERVAL = {"ci_low": "", "ci_high": ""}


def shown(facts: Facts, target: str, rows: Mapping[str, Row]) -> dict[str, Row]:
    """Return the rows of a target by term, with the ends of the intervals that are to be shown.

    rows: of coefficients.csv. A model that was trained with another loss than squared errors has no
    intervals; with data.clusters they come from the clustered errors of the reference.
    """
    if not facts.loss.is_squared:
        return {term: {**row, **NO_INTERVAL} for term, row in rows.items()}
    freedom = cluster_freedom(facts, target)
    if freedom is None:
        return {**rows}
    t = float(student.quantile(CONFIDENCE, freedom))
    return {term: {**row, **_clustered(row, t)} for term, row in rows.items()}


def cluster_freedom(facts: Facts, target: str) -> int | None:
    """Return the number of clusters less one; None if the errors of a target are not clustered."""
    if facts.params.get("data.clusters") is None:
        return None
    of_target = facts.metrics.get("diagnostics", {}).get("targets", {}).get(target, {})
    number = of_target.get("clusters", {}).get("number")
    return number - 1 if number is not None and number > 1 else None


def _clustered(row: Row, t: float) -> dict[str, str]:
    """Return the ends of the interval of the reference by the clustered error."""
    error, best = row.get(CLUSTERED), row.get("reference")
    if not error or not best:
        return NO_INTERVAL
    wide = t * float(error)
    return {"ci_low": repr(float(best) - wide), "ci_high": repr(float(best) + wide)}
