"""Diagnostics of the reference: for metrics.json, coefficients.csv and influence.csv.

A verdict needs both: a deviation that is no chance, and one that is large enough to matter. Of many
rows the smallest deviations are no chance.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.exact import misfit, robust_errors
from pipeline.exact.inflation import inflation_factors
from pipeline.exact.least_squares import Fit
from pipeline.exact.row_sums import RowSums
from pipeline.measures.diagnosis import Asked, Diagnosis

Floats = NDArray[np.float64]
Verdict = Literal["fine", "slight", "worrying", "unknown"]

SIGNIFICANT = 0.01
"""Largest p-value of what is no chance. Not 0.05: four tests are made of each target."""
CHANGE_OF_ERRORS = 0.1
"""Breusch-Pagan worries if a standard error of HC3 differs from the classical one by more."""
SHAPE = 0.5
"""Jarque-Bera worries if the skewness, or half of the excess kurtosis, is larger."""
BEND = 0.01
"""RESET worries if the powers of the fitted values explain more of the residuals."""
STEP = 0.5
"""Durbin-Watson worries if it is further from 2: neighbours' errors correlate by a quarter."""
COOKS = (0.5, 1.0)
"""Cook's distances from which on a row is looked at, and worries (Cook and Weisberg 1982)."""
INFLATION = (5.0, 10.0)
"""Variance inflation factors from which on a feature is looked at, and worries."""
FEW_CLUSTERS = 30
"""Of fewer clusters the clustered errors are often too small (Cameron and Miller 2015)."""


@dataclass(frozen=True)
class RobustErrors:
    """Further columns of coefficients.csv: [targets, terms], NaN where there is none.

    clustered: None if not asked for. inflation: of the features: [features].
    """

    hc1: Floats
    hc3: Floats
    clustered: Floats | None
    inflation: Floats


@dataclass(frozen=True)
class Diagnostics:
    """The reference, held against its training rows. sums: over these rows, if they were asked."""

    fit: Fit
    asked: Asked
    sums: RowSums | None

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What was asked of the rows."""
        return self.asked.diagnosis

    @cached_property
    def errors(self) -> RobustErrors:
        """The robust standard errors; 0 of targets that are fitted exactly, as the classical."""
        inflation = inflation_factors(self.fit)
        if self.diagnosis is None or self.sums is None:
            none = np.full_like(self.fit.std_error, math.nan)
            perfect = self.fit.equations.perfect
            none[perfect] = self.fit.std_error[perfect]
            return RobustErrors(none, none, None, inflation)
        made = self.fit, self.diagnosis.diagnosed
        clusters = self.diagnosis.cluster_sums
        return RobustErrors(
            robust_errors.hc1(*made, self.sums),
            robust_errors.hc3(*made, self.sums),
            robust_errors.clustered(*made, clusters) if clusters else None,
            inflation,
        )

    def in_metrics(self) -> dict[str, Any]:
        """Return `diagnostics` of metrics.json: of a model that is not a line, the reason alone."""
        if self.asked.reason == "not_linear":
            return {"reason": "not_linear"}
        figures: dict[str, Any] = {}
        if len(self.fit.features) > 1 and not np.isnan(self.errors.inflation).all():
            place = int(np.nanargmax(self.errors.inflation))
            largest = float(self.errors.inflation[place])
            verdict = _by_size(largest, *INFLATION)
            term = self.fit.features[place]
            figures["vif"] = {"largest": largest, "term": term, "verdict": verdict}
        if self.diagnosis is None or self.sums is None:
            return figures | {"reason": self.asked.reason}
        if (weights := self.diagnosis.weights) is not None:
            figures["weights"] = weights.kind
        alone = len(self.sums.alone.places)
        figures["leverage"] = {
            "largest": 1.0 if alone else self.sums.largest,
            "rows_of_one": alone,
            "verdict": "worrying" if alone else "fine",
        }
        figures["targets"] = {
            target: {"reason": "exact_fit"}
            if target in self.diagnosis.exact
            else dict(self._of_target(place, self.diagnosis, self.sums))
            for place, target in enumerate(self.fit.targets)
        }
        return figures

    def _of_target(
        self, place: int, diagnosis: Diagnosis, sums: RowSums
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the figures of a target, by their names."""
        diagnosed, of_target = diagnosis.diagnosed, sums.targets[place]
        if (pagan := misfit.breusch_pagan(diagnosed, of_target)) is not None:
            change = self._change(place, self.errors.hc3)
            yield "breusch_pagan", _test(pagan.statistic, pagan.p, change, CHANGE_OF_ERRORS)
        if (shape := misfit.jarque_bera(diagnosed, of_target)) is not None:
            figures = _test(shape.test.statistic, shape.test.p, shape.test.size, SHAPE)
            yield "jarque_bera", figures | {"skewness": shape.skewness, "kurtosis": shape.kurtosis}
        watson = misfit.durbin_watson(diagnosed, of_target, place)
        # Equal rows are told without their order, and their residuals are equal.
        if watson is not None and diagnosed.weighting != "frequency":
            yield "durbin_watson", _steps(watson, diagnosis)
        if (reset := misfit.reset(diagnosed, of_target, place)) is not None:
            yield "reset", _test(reset.statistic, reset.p, reset.size, BEND)
        if len(cooks := of_target.influential.cooks):
            largest = float(cooks[0])
            yield "influence", {"largest": largest, "verdict": _by_size(largest, *COOKS)}
        if (clustered := self.errors.clustered) is not None:
            number = len(diagnosis.cluster_sums[place].sums)
            yield (
                "clusters",
                {
                    "number": number,
                    "size": self._change(place, clustered),
                    "verdict": "slight" if number < FEW_CLUSTERS else "fine",
                },
            )

    def _change(self, place: int, errors: Floats) -> float:
        """Return the largest relative change of the standard errors from the classical ones."""
        with np.errstate(divide="ignore", invalid="ignore"):
            changes = np.abs(errors[place] / self.fit.std_error[place] - 1)
        # A term that one row determines has no other error.
        known = changes[np.isfinite(changes) & np.isfinite(self.errors.hc3[place])]
        return float(known.max()) if len(known) else 0.0


def _test(statistic: float, p: float, size: float, worrying: float) -> dict[str, Any]:
    """Return the figures of a test with its verdict. size: of the deviation that matters."""
    verdict: Verdict = "fine"
    if p < SIGNIFICANT:
        verdict = "worrying" if size > worrying else "slight"
    return {"statistic": statistic, "p": p, "size": size, "verdict": verdict}


def _steps(watson: float, diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the figures of Durbin-Watson; p is that of many rows."""
    p = misfit.durbin_watson_p(watson, diagnosis.diagnosed.rows)
    figures = _test(watson, p, abs(watson - 2), STEP)
    if not diagnosis.is_in_order:
        figures["verdict"] = "unknown"
    return figures


def _by_size(size: float, slight: float, worrying: float) -> Verdict:
    if size > worrying:
        return "worrying"
    return "slight" if size > slight else "fine"
