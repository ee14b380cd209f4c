"""Diagnostics in words: what each says of this fit, and what to do about it.

The sentences are made from `diagnostics` of metrics.json. In a template {name} is a value, and `…`
is code, as in Markdown. A test needs a verdict: see measures/diagnostics.py.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.settings.keys.sections import Language

Quoted = Callable[[str], str]

_EN = {
    "breusch_pagan.fine": "The residuals scatter about as much for all values of the features (Breusch–Pagan p {p}): the standard errors hold as they are.",
    "breusch_pagan.slight": "The residuals scatter a little more for some values of the features than for others (Breusch–Pagan p {p}), but no standard error changes by more than {percent} %: nothing to do.",
    "breusch_pagan.worrying": "The residuals scatter more for some values of the features than for others (Breusch–Pagan p {p}), and standard errors change by up to {percent} %: take `std_error_hc3` for the errors; 95 % prediction intervals are too narrow where the residuals are large. If the scatter grows with a positive target, its logarithm may be the better target.",
    "jarque_bera.fine": "The residuals are distributed as a normal distribution would have them (Jarque–Bera p {p}).",
    "jarque_bera.slight": "The residuals are not exactly normal (Jarque–Bera p {p}), but nearly (skewness {skewness}, kurtosis {kurtosis}; a normal distribution has 0 and 3): of many rows small deviations show; nothing to do.",
    "jarque_bera.worrying": "The residuals are not normal (Jarque–Bera p {p}; skewness {skewness}, kurtosis {kurtosis}; a normal distribution has 0 and 3): of many rows the standard errors hold all the same, 95 % prediction intervals do not; `reports/plots/quantiles.svg` shows where, and `reports/influence.csv` whether a few rows make it.",
    "durbin_watson.fine": "The residuals of rows beside each other are not alike (Durbin–Watson {statistic}; 2 is no relation).",
    "durbin_watson.slight": "The residuals of rows beside each other are a little alike (Durbin–Watson {statistic}; 2 is no relation): too little to matter.",
    "durbin_watson.worrying": "The residuals of rows beside each other are related (Durbin–Watson {statistic}; 2 is no relation). If the rows come in the order of time or place, the standard errors are wrong: cluster them by period (`data.clusters`), add what changes with time, and let later days test earlier ones (`data.folds`, with a gap). In any other order it says nothing.",
    "durbin_watson.unknown": "The rows are not in the order of their dates, so that Durbin–Watson ({statistic}) says nothing of errors that follow each other: sort the table by date.",
    "reset.fine": "The square and the cube of the prediction add nothing to the line (RESET p {p}): no sign of a bend.",
    "reset.slight": "The square and the cube of the prediction explain {percent} % of the squared residuals (RESET p {p}): there is a bend, but a small one; nothing to do.",
    "reset.worrying": "The square and the cube of the prediction explain {percent} % of the squared residuals (RESET p {p}): the line misses a bend; look at `reports/plots/residuals.svg`, and try the logarithm or the square of a feature, or a product of two.",
    "influence.fine": "No row moves the fit much (largest Cook's distance {largest}; more than 1 is much).",
    "influence.slight": "One row moves the fit noticeably (Cook's distance {largest}; more than 1 is much): look at the first rows of `reports/influence.csv`.",
    "influence.worrying": "One row alone moves the fit much (Cook's distance {largest}; more than 1 is much): look at the first rows of `reports/influence.csv` in the table; correct them if they are wrong, else compare the fit with one without them.",
    "clusters.fine": "Rows are clustered in {number} groups (`std_error_clustered`); standard errors change by up to {percent} %: take the clustered ones if errors within a group depend on each other.",
    "clusters.slight": "Rows are clustered in {number} groups only (`std_error_clustered`); standard errors change by up to {percent} %. Of fewer than 30 groups clustered errors are often too small: doubt terms that are just significant.",
    "leverage.fine": "No row determines a coefficient alone (largest leverage {largest}).",
    "leverage.worrying": "Rows with a leverage of 1: {rows_of_one}. Each alone determines a coefficient, its residual is 0, and `std_error_hc3` is empty there (the last rows of `reports/influence.csv`). A level that one row has can be joined with others by `min_count`.",
    "vif.fine": "No feature repeats the others (largest variance inflation factor {largest}, of {term}).",
    "vif.slight": "{term} says in part what other features say (variance inflation factor {largest}): its coefficient is less certain for it; nothing to do for predictions.",
    "vif.worrying": "{term} nearly repeats other features (variance inflation factor {largest}; more than 10 is much): single coefficients say little, predictions lose nothing; leave a feature out, or set `train.l2`.",
    "reason.not_linear": "The model is not linear: these diagnostics are of lines.",
    "reason.exact_fit": "The features explain the target exactly: no residual is left to diagnose.",
    "reason.no_degrees_of_freedom": "There are no more rows than coefficients: no residual is left to diagnose. More rows, or fewer features, would tell.",
    "reason.rows_not_kept": "The rows were left where they are (`data.keep_rows: false`): diagnostics need the residual of each row; set it to true.",
    "reason.many_columns": "More than 300 columns: the diagnostics of the rows would take longer than the fit, and were left out.",
    "weights.precision": "Rows have precisions (`data.weights`): the tests, leverage and Cook's distance are of rows times the root of their weight, whose errors should be of one size; Breusch–Pagan asks whether they are.",
    "weights.frequency": "Rows stand for several equal ones (`data.weights`): the figures are those of the repeated rows, of which `reports/influence.csv` has one each. Durbin–Watson was left out: it compares each row with the next one, and the order of equal rows is not known.",
    "of_target": "{target}: {sentence}",
}
_ZH = {
    "breusch_pagan.fine": "无论特征取何值，残差的离散程度大致相同（Breusch–Pagan p {p}）：标准误可以直接使用。",
    "breusch_pagan.slight": "特征取某些值时残差略为分散（Breusch–Pagan p {p}），但标准误的变化都不超过 {percent} %：无须处理。",
    "breusch_pagan.worrying": "残差的离散程度随特征的取值而变（Breusch–Pagan p {p}，存在异方差），标准误的变化最大达 {percent} %：请采用 `std_error_hc3`；残差大的地方，95 % 预测区间偏窄。如果目标为正且离散程度随其增大，可改用目标的对数。",
    "jarque_bera.fine": "残差的分布与正态分布相符（Jarque–Bera p {p}）。",
    "jarque_bera.slight": "残差并非严格正态（Jarque–Bera p {p}），但相差不大（偏度 {skewness}，峰度 {kurtosis}；正态分布为 0 和 3）：数据多时，细小的偏离也会显著；无须处理。",
    "jarque_bera.worrying": "残差不服从正态分布（Jarque–Bera p {p}；偏度 {skewness}，峰度 {kurtosis}；正态分布为 0 和 3）：数据多时标准误仍然可靠，95 % 预测区间则不可靠；`reports/plots/quantiles.svg` 显示偏离之处，`reports/influence.csv` 显示是否由少数几行造成。",
    "durbin_watson.fine": "相邻各行的残差互不相关（Durbin–Watson {statistic}；2 表示不相关）。",
    "durbin_watson.slight": "相邻各行的残差略有相关（Durbin–Watson {statistic}；2 表示不相关）：程度很小，不必在意。",
    "durbin_watson.worrying": "相邻各行的残差相关（Durbin–Watson {statistic}；2 表示不相关）。如果各行按时间或位置排列，则标准误有误：请按时段聚类（`data.clusters`），加入随时间变化的特征，并用较晚的日期检验较早的日期（`data.folds`，带间隔）。如果各行按其他顺序排列，则此项没有意义。",
    "durbin_watson.unknown": "各行未按日期排列，Durbin–Watson（{statistic}）不能说明前后误差是否相关：请先按日期排序。",
    "reset.fine": "预测值的平方和立方没有改进直线拟合（RESET p {p}）：没有弯曲的迹象。",
    "reset.slight": "预测值的平方和立方解释了残差平方和的 {percent} %（RESET p {p}）：存在弯曲，但很小；无须处理。",
    "reset.worrying": "预测值的平方和立方解释了残差平方和的 {percent} %（RESET p {p}）：直线遗漏了弯曲；请查看 `reports/plots/residuals.svg`，并尝试某个特征的对数或平方，或两个特征的乘积。",
    "influence.fine": "没有哪一行对拟合有很大影响（最大 Cook 距离 {largest}；大于 1 即为很大）。",
    "influence.slight": "有一行对拟合有明显影响（Cook 距离 {largest}；大于 1 即为很大）：请查看 `reports/influence.csv` 的前几行。",
    "influence.worrying": "单独一行就使拟合发生很大变化（Cook 距离 {largest}；大于 1 即为很大）：请对照 `reports/influence.csv` 的前几行检查原始数据；若有错误请更正，否则请与去掉这些行的拟合作比较。",
    "clusters.fine": "各行分为 {number} 个聚类（`std_error_clustered`）；标准误的变化最大达 {percent} %：如果同一聚类内的误差相关，请采用聚类标准误。",
    "clusters.slight": "各行只分为 {number} 个聚类（`std_error_clustered`）；标准误的变化最大达 {percent} %。聚类少于 30 个时，聚类标准误往往偏小：对勉强显著的项应存疑。",
    "leverage.fine": "没有哪一行单独决定某个系数（最大杠杆值 {largest}）。",
    "leverage.worrying": "有 {rows_of_one} 行的杠杆值为 1：每一行单独决定一个系数，其残差为 0，相应的 `std_error_hc3` 为空（见 `reports/influence.csv` 的最后几行）。只有一行的水平可用 `min_count` 与其他水平合并。",
    "vif.fine": "没有特征与其他特征重复（最大方差膨胀因子为 {term} 的 {largest}）。",
    "vif.slight": "{term} 与其他特征部分重复（方差膨胀因子 {largest}）：其系数因此不够确定；对预测无须处理。",
    "vif.worrying": "{term} 几乎与其他特征重复（方差膨胀因子 {largest}；大于 10 即为很大）：单个系数意义不大，预测不受影响；可去掉一个特征，或设置 `train.l2`。",
    "reason.not_linear": "该模型不是线性模型：这些诊断只适用于直线。",
    "reason.exact_fit": "特征完全解释了目标：没有残差可供诊断。",
    "reason.no_degrees_of_freedom": "行数不多于系数的个数：没有残差可供诊断。需要更多的行，或更少的特征。",
    "reason.rows_not_kept": "数据行留在原处（`data.keep_rows: false`）：诊断需要每一行的残差；请将其设为 true。",
    "reason.many_columns": "超过 300 列：逐行诊断比拟合本身还要费时，因此略去。",
    "weights.precision": "各行带有精度权重（`data.weights`）：各项检验、杠杆值和 Cook 距离均针对乘以权重平方根之后的行，其误差应大小一致；Breusch–Pagan 检验的正是这一点。",
    "weights.frequency": "每一行代表若干相同的行（`data.weights`）：各项指标等同于将这些行逐一重复后的结果，`reports/influence.csv` 对相同的行只列一行。Durbin–Watson 比较前后相邻的行，而相同各行的次序未知，因此略去。",
    "of_target": "{target}：{sentence}",
}
SENTENCES: Mapping[Language, Mapping[str, str]] = {"en": _EN, "zh": _ZH}

SHORT = {
    "breusch_pagan": "residuals scatter unevenly: take std_error_hc3 (up to {percent} % other)",
    "jarque_bera": "residuals are not normal (skewness {skewness}, kurtosis {kurtosis})",
    "durbin_watson": "residuals of neighbouring rows are related (Durbin–Watson {statistic})",
    "reset": "the line misses a bend ({percent} % of the squared residuals)",
    "influence": "one row moves the fit much (Cook's distance {largest}): reports/influence.csv",
    "leverage": "rows that each determine a coefficient alone: {rows_of_one}",
    "vif": "{term} nearly repeats other features (VIF {largest})",
}
"""What the summary of a result prints of a worrying diagnostic."""


@dataclass(frozen=True)
class Sentence:
    """A diagnostic in words. name: of the diagnostic, or reason; target: "" if it is of all."""

    name: str
    verdict: str
    text: str
    target: str = ""


def sentences(
    diagnostics: Mapping[str, Any], quoted: Quoted = str, language: Language = "en"
) -> list[Sentence]:
    """Return a sentence for each diagnostic of a fit, or for the reason why there is none.

    diagnostics: of metrics.json. quoted: makes a name of the text's markup.
    """
    said = SENTENCES[language]
    made = []
    if kind := diagnostics.get("weights"):
        made.append(Sentence("weights", "fine", said[f"weights.{kind}"]))
    for name, target, figures in _figures(diagnostics):
        key = f"{name}.{figures['verdict']}" if "verdict" in figures else f"reason.{name}"
        text = said[key].format_map(_shown(figures, quoted))
        if target and len(diagnostics["targets"]) > 1:
            text = said["of_target"].format(target=quoted(target), sentence=text)
        is_reason = "verdict" not in figures
        kind = "reason" if is_reason else name
        made.append(Sentence(kind, figures.get("verdict", "unknown"), text, target))
    return made


def worrying(diagnostics: Mapping[str, Any]) -> list[str]:
    """Return a few words for each worrying diagnostic, for the summary of a result."""
    words = []
    for name, target, figures in _figures(diagnostics):
        if figures.get("verdict") == "worrying":
            text = SHORT[name].format_map(_shown(figures, str))
            words.append(f"{target}: {text}" if len(diagnostics.get("targets", ())) > 1 else text)
    return words


def _figures(diagnostics: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield name, target and figures of each diagnostic; a reason has no figures."""
    if reason := diagnostics.get("reason"):
        yield reason, "", {}
    for target, tests in diagnostics.get("targets", {}).items():
        if reason := tests.get("reason"):
            yield reason, target, {}
            continue
        for name in _ORDER:
            if name in tests:
                yield name, target, tests[name]
    for name in ("leverage", "vif"):
        if name in diagnostics:
            yield name, "", diagnostics[name]


_ORDER = ("reset", "breusch_pagan", "jarque_bera", "durbin_watson", "clusters", "influence")


def _shown(figures: Mapping[str, Any], quoted: Quoted) -> dict[str, str]:
    """Return the figures as a sentence has them."""
    shown = {
        key: quoted(value) if isinstance(value, str) else f"{value:.3g}"
        for key, value in figures.items()
    }
    if "size" in figures:
        shown["percent"] = (
            f"{100 * figures['size']:.2g}"
            if figures["size"] < 1
            else (f"{100 * figures['size']:.0f}")
        )
    if "p" in figures:
        p = figures["p"]
        shown["p"] = f"= {p:.2g}" if p >= 0.0001 else "< 0.0001"
    return shown
