"""The report's section on how good the model is, and where it is not."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.measures import largest_errors
from pipeline.report import markup, page_rows, page_verdict, row_words, target_words
from pipeline.report.facts import Facts, Row
from pipeline.report.markup import Html, element
from pipeline.report.words import Sentences, Words, number

MOST_ERRORS_SHOWN = 8
MOST_VALUES_SHOWN = 8

PICTURES = ("fit", "predicted", "residuals", "quantiles", "loss")

SENTENCES: Sentences = {
    "en": {
        "rows": "rows",
        "count": "number",
        "rmse": "typical error (RMSE)",
        "mae": "mean absolute error",
        "r2": "R²",
        "train": "that train the model",
        "test": "held out",
        "folds": "in folds",
        "mean_of": "{mean} ± {std}",
        "how_folds": "Folds: {folds}, {fits}; mean and standard deviation of the folds.",
        "no_folds": "The folds have no figures, because fewer rows train for a fold than the model"
        " has numbers.",
        "some_rows": "The mean absolute error is of a sample of the rows that the seed chose"
        " ({counts}); the other figures are of all rows.",
        "reference": "The best of all lines, by exact least squares, has a typical error of {rmse}"
        " for {targets} on the rows that train; this model's is {own}.",
        "reference_other": "The line with the smallest squared errors, exact least squares, has an"
        " RMSE of {rmse} for {targets} on the rows that train; this model, which was asked for"
        " another loss, has one of {own}.",
        "in_own_unit": "{rows}, in the unit of the table",
        "on_scale": "{rows}, {fitted}",
        "below": "{share} % of the values lie at or below their answer, in the rows {rows}.",
        "between": "{under} % of the values lie below their answer and {share} % at or below it, in"
        " the rows {rows}.",
        "asked": "Of new values {share} % should.",
        "where_not": "Where it is not good",
        "inside": "Of {of} rows held out {inside} are like the training rows in every column. Of"
        " others the model's answers are guesses.",
        "largest": "The largest errors for {target}, on rows held out. | The largest errors for"
        " {target}, on the rows that train.",
        "actual": "actual",
        "predicted": "predicted",
        "error": "actual − predicted",
        "values": "the row",
        "by_ratio": "The largest errors of the logarithm are those that are farthest off in per"
        " cent.",
        "where": "{numbering} Large errors in rows that have something in"
        " common ask for another column or a bend; single ones may be mistakes in the table.",
        "fit": "The rows, and the line or curve that answers.",
        "fit_alt": "Scatter plot of the target over the feature with the fitted curve",
        "predicted_picture": "Predicted against actual values: on the diagonal the model would be"
        " right.",
        "predicted_share": "Predicted against actual values: on or above the diagonal lie the rows"
        " whose value is at most its answer, {share} % of them if the quantile is right.",
        "predicted_alt": "Scatter plot of predicted over actual values",
        "residuals": "What the model missed (actual − predicted) over what it predicted. {bend}"
        " {funnel}",
        "bend_line": "A bend asks for another term.",
        "bend_module": "A bend says that the model has not learnt all: train it longer, or give it"
        " more units or another column.",
        "funnel": "A funnel asks for the logarithm of the target.",
        "funnel_mixed": "A funnel asks for the logarithm of a target that is not one already.",
        "funnel_log": "A funnel says that the error in per cent is not the same everywhere.",
        "residuals_alt": "Scatter plot of residuals over predictions",
        "quantiles": "The errors against those of a normal distribution: on the diagonal the"
        " intervals can be believed.",
        "quantiles_calibrated": "The errors against those of a normal distribution, which lie on"
        " the diagonal. The calibrated interval does not need them to be normal.",
        "quantiles_alone": "The errors against those of a normal distribution, which lie on the"
        " diagonal: off it at the ends, large errors are more frequent, or less, than normal.",
        "quantiles_robust": "The errors against those of a normal distribution: rows far from the"
        " diagonal at its ends are those that this loss lets count less.",
        "quantiles_alt": "Normal quantile plot of the residuals",
        "loss": "How the error fell while the model was trained, epoch by epoch.",
        "loss_alt": "Curve of the training loss by epoch",
    },
    "zh": {
        "rows": "数据",
        "count": "行数",
        "rmse": "典型误差（RMSE）",
        "mae": "平均绝对误差",
        "r2": "R²",
        "train": "训练数据",
        "test": "留出数据",
        "folds": "交叉验证",
        "mean_of": "{mean} ± {std}",
        "how_folds": "交叉验证：{folds}，{fits}；所列为各折的均值与标准差。",
        "no_folds": "交叉验证没有结果：某一折的训练行数少于模型要估计的数。",
        "some_rows": "平均绝对误差由种子抽取的部分行算得（{counts}），其余指标由全部行算得。",
        "reference": "在训练数据上，所有直线中最优者（精确最小二乘）对 {targets}"
        " 的典型误差为 {rmse}，"
        "本模型为 {own}。",
        "reference_other": "在训练数据上，平方误差最小的直线（精确最小二乘）对 {targets} 的 RMSE"
        " 为 {rmse}；本模型追求的是另一种损失，其 RMSE 为 {own}。",
        "in_own_unit": "{rows}，采用数据表中的单位",
        "on_scale": "{rows}，{fitted}",
        "below": "{rows}中有 {share} % 的数值不高于其回答。",
        "between": "{rows}中有 {under} % 的数值低于其回答，{share} % 的数值不高于其回答。",
        "asked": "对新的数值，要求为 {share} %。",
        "where_not": "哪里不准",
        "inside": "留出的 {of} 行中，有 {inside} 行在每一列上都与训练数据同类；对其余各行，"
        "模型的回答属于外推。",
        "largest": "{target} 误差最大的留出行。 | {target} 误差最大的训练行。",
        "actual": "实际值",
        "predicted": "预测值",
        "error": "实际值 − 预测值",
        "values": "该行的取值",
        "by_ratio": "对数的误差最大者，即按百分比计相差最大者。",
        "where": "{numbering}若误差大的行有共同之处，"
        "说明还缺某一列或存在弯曲关系；"
        "孤立的大误差可能是数据表中的错误。",
        "fit": "各行数据，以及给出回答的直线或曲线（横轴为特征，纵轴为目标）。",
        "fit_alt": "目标对特征的散点图及拟合曲线",
        "predicted_picture": "横轴为实际值，纵轴为预测值：落在对角线上即为预测准确。",
        "predicted_share": "横轴为实际值，纵轴为预测值：落在对角线上或其上方的行，"
        "其数值不高于回答；若分位数准确，这样的行占 {share} %。",
        "predicted_alt": "预测值对实际值的散点图",
        "residuals": "横轴为预测值，纵轴为残差（实际值 − 预测值）。{bend}{funnel}",
        "bend_line": "呈弯曲形说明缺少某一项。",
        "bend_module": "呈弯曲形说明模型尚未学到全部规律：可延长训练、增加单元，或添加另一列。",
        "funnel": "呈漏斗形则宜对目标取对数。",
        "funnel_mixed": "呈漏斗形则宜对尚未取对数的目标取对数。",
        "funnel_log": "呈漏斗形说明以百分比计的误差并非处处相同。",
        "residuals_alt": "残差对预测值的散点图",
        "quantiles": "残差与正态分布的分位数对比：落在对角线上，则区间可信。",
        "quantiles_calibrated": "残差与正态分布的分位数对比：正态分布的残差落在对角线上。"
        "经校准的区间并不要求残差服从正态分布。",
        "quantiles_alone": "残差与正态分布的分位数对比：正态分布的残差落在对角线上；"
        "两端偏离对角线，说明大误差比正态分布更多或更少。",
        "quantiles_robust": "残差与正态分布的分位数对比：两端远离对角线的行，"
        "即在这种损失中影响较小的行。",
        "quantiles_alt": "残差的正态分位数图",
        "loss": "训练过程中误差逐轮下降的情况（横轴为轮次，纵轴为损失）。",
        "loss_alt": "训练损失随轮次变化的曲线",
    },
}


def section(facts: Facts) -> Html:
    """Return the metrics, the largest errors, and the pictures of the residuals."""
    words = Words(facts.language, SENTENCES)
    header = [words(key) for key in ("rows", "count", "rmse", "mae", "r2")]
    figures = markup.table(header, _figures(facts, words), (1, 2, 3, 4))
    where_not = markup.join(_where_not(facts, words))
    if facts.loss.share is not None:
        figures = markup.join([_shares(facts, words), figures])
    parts = [figures, *(markup.paragraph(each) for each in _sentences(facts, words))]
    if where_not:
        parts += [element("h3", words("where_not")), where_not]
    pictures = [
        markup.picture(
            facts.plots[name],
            words.plain(f"{name}_alt"),
            _caption(name, facts, words),
        )
        for name in PICTURES
        if name in facts.plots and not (name == "quantiles" and facts.loss.share is not None)
    ]
    return markup.join([*parts, element("div", *pictures, class_="pictures")])


def _caption(name: str, facts: Facts, words: Words) -> Html:
    """Return what a picture shows, and what to do about it with this model."""
    share = 0.5 if facts.loss.name == "absolute" else facts.loss.share
    if name == "predicted":
        if share is None:
            return words("predicted_picture")
        return words("predicted_share", share=number(100 * share, 3))
    if name == "residuals":
        every = set(facts.logs) == set(facts.targets)
        funnel = "funnel_log" if every else "funnel_mixed" if facts.logs else "funnel"
        bend = words("bend_line" if facts.is_linear else "bend_module")
        return words("residuals", bend=bend, funnel=words(funnel))
    if name == "quantiles":
        return words(_kind_of_quantiles(facts))
    return words(name)


def _kind_of_quantiles(facts: Facts) -> str:
    """Return the sentence on the picture of the quantiles of the errors."""
    if "interval" in facts.metrics:
        return "quantiles_calibrated"
    if not facts.loss.is_squared:
        return "quantiles_robust"
    # A model without an interval of its own, or the line whose interval takes the errors as normal.
    return "quantiles" if facts.is_least_squares else "quantiles_alone"


def _figures(facts: Facts, words: Words) -> Iterator[list[str]]:
    fitted = page_verdict.fitted(facts, words)
    counts = {"test": facts.test_rows, "train": facts.training_rows}
    for part, rows in counts.items():
        if rows:
            metrics = facts.metrics[part]
            own = target_words.figures_in_own_unit(metrics)
            if own:
                of = [words("in_own_unit", rows=words(part)), number(rows)]
                yield [*of, *(number(own[key]) for key in target_words.FIGURES)]
            label = words("on_scale", rows=words(part), fitted=fitted) if own else words(part)
            yield [label, number(rows), *(number(metrics[key]) for key in target_words.FIGURES)]
        if part == "test" and facts.metrics.get("cv", {}).get("rmse", {}).get("mean") is not None:
            yield _of_folds(facts, words)


def _shares(facts: Facts, words: Words) -> Html:
    """Return the share of the values below their quantile."""
    parts = [part for part in ("test", "train") if "below" in facts.metrics.get(part, {})]
    told = [_below(facts.metrics[part], words(part), words) for part in parts]
    asked = words("asked", share=number(100 * (facts.loss.share or 0), 3))
    return markup.items([*told, asked])


def _below(figures: Mapping[str, Any], rows: Html, words: Words) -> Html:
    """Return the share of the rows at or below their answers, and of those below if others."""
    share, under = figures["below"], figures.get("strictly_below", figures["below"])
    key = "below" if under == share else "between"
    shares = {"share": number(100 * share, 3), "under": number(100 * under, 3)}
    return words(key, rows=rows, **shares)


def _of_folds(facts: Facts, words: Words) -> list[str]:
    def spread(figure: Mapping[str, Any]) -> str:
        if figure["std"] is None:
            return number(figure["mean"])
        return words("mean_of", mean=number(figure["mean"]), std=number(figure["std"], 2))

    cv = facts.metrics["cv"]
    label = words("folds")
    if facts.logs:
        label = words("on_scale", rows=label, fitted=page_verdict.fitted(facts, words))
    return [label, number(facts.training_rows), spread(cv["rmse"]), "–", spread(cv["r2"])]


def _sentences(facts: Facts, words: Words) -> Iterator[Html]:
    """Yield what the figures are of."""
    metrics = facts.metrics
    if (cv := metrics.get("cv")) is not None:
        value = facts.params["data.folds"]
        if cv["rmse"]["mean"] is None:
            yield words("no_folds")
        else:
            folds = row_words.folds(value, markup.name, facts.language)
            fits = row_words.fits(value, facts.language)
            yield words("how_folds", folds=Html(folds), fits=fits)
    parts = [metrics.get(part, {}) for part in ("train", "test")]
    if counts := [Html(number(each["mae_rows"])) for each in parts if "mae_rows" in each]:
        yield words("some_rows", counts=words.listed(counts))
    if not facts.is_least_squares and not facts.is_penalized:
        own, best = metrics["train"]["rmse"], metrics["reference"]["rmse"]
        key = "reference" if facts.loss.is_squared else "reference_other"
        fitted = page_verdict.fitted(facts, words)
        yield words(key, rmse=number(best), own=number(own), targets=fitted)


def _where_not(facts: Facts, words: Words) -> Iterator[Html]:
    """Yield how many rows are unlike the training rows, and the rows with the largest errors."""
    inside, of = facts.test_in_range
    if of:
        yield markup.paragraph(words("inside", of=of, inside=inside))
    for target in facts.targets:
        rows = [row for row in facts.largest_errors if row["target"] == target]
        if not rows or float(rows[0]["error"]) == 0 or len(rows) < 2:
            continue
        is_test = rows[0]["rows"] == largest_errors.HELD_OUT
        title = words("largest", target=markup.name(target), n=1 if is_test else 2)
        shown = rows[:MOST_ERRORS_SHOWN]
        places = page_rows.place_columns(shown)
        header = page_rows.place_header(places, facts.language)
        header += [words(key) for key in ("actual", "predicted", "error", "values")]
        yield markup.paragraph(title)
        yield markup.table(
            header,
            (page_rows.place(row, places) + _error(row, facts, words) for row in shown),
            range("file" in places, len(header) - 1),
            class_="errors",
        )
        numbering = page_rows.numbering(shown, facts.language)
        yield markup.paragraph(words("where", numbering=numbering), class_="note")
        if target in facts.logs:
            yield markup.paragraph(words("by_ratio"), class_="note")


def _error(row: Row, facts: Facts, words: Words) -> list[str]:
    actual, predicted = (
        page_rows.in_own_unit(facts, row["target"], row[key]) for key in ("actual", "predicted")
    )
    figures = map(number, (actual, predicted, actual - predicted))
    values = [*page_rows.values(facts, row, largest_errors.COLUMN)]
    return [*figures, words.listed(values, MOST_VALUES_SHOWN)]
