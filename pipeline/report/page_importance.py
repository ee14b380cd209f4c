"""What the report says of a model without coefficients: which columns count, and how."""

from collections.abc import Iterator

from pipeline.report import markup, page_verdict
from pipeline.report.facts import Facts
from pipeline.report.markup import Html
from pipeline.report.words import Sentences, Words

MOST_COLUMNS_SHOWN = 20

SENTENCES: Sentences = {
    "en": {
        "none": "The model is not linear: no column has a single effect.",
        "dependence": "The answer over the columns that count most, its mean over other rows: what"
        " it would be if every row had this one value (partial dependence). **This is how the model"
        " answers, not what causes what.**",
        "dependence_alt": "Mean answer over the values of the most important columns",
        "importance": "By how much the typical error of {targets} grows if the values of a column"
        " are shuffled among the rows, so that they say nothing about their row any more"
        " (permutation importance). Columns that say the same share their importance, or have"
        " none.",
        "bars": "Growth of the error by column",
        "more": "{n} column more counts less: `importance` in `reports/metrics.json`. | {n} columns"
        " more count less: `importance` in `reports/metrics.json`.",
    },
    "zh": {
        "none": "模型不是线性的，任何一列都没有单一的影响。",
        "dependence": "回答随最重要的几列如何变化：假如每一行在该列上都取同一个值，"
        "回答的均值会是多少（部分依赖图）。**这是模型如何回答，并非因果关系。**",
        "dependence_alt": "平均回答随最重要各列取值的变化",
        "importance": "将某一列的取值在各行之间打乱，使其不再含有关于该行的信息，"
        "{targets} 的典型误差会增加多少（置换重要性）。所含信息相同的列分享其重要性，"
        "或都没有重要性。",
        "bars": "各列使误差增加的量",
        "more": "另有 {n} 列影响更小，见 `reports/metrics.json` 的 `importance`。",
    },
}


def section(facts: Facts) -> Html:
    """Return which columns count, and the picture of how the answer depends on them."""
    return markup.join(_parts(facts, Words(facts.language, SENTENCES)))


def _parts(facts: Facts, words: Words) -> Iterator[Html]:
    yield markup.paragraph(words("none"))
    growth = sorted(facts.metrics.get("importance", {}).items(), key=lambda each: -each[1])
    shown = growth[:MOST_COLUMNS_SHOWN]
    if shown and max(size for _, size in shown) > 0:
        yield markup.paragraph(words("importance", targets=page_verdict.fitted(facts, words)))
        rows = [(markup.name(name), size, "model") for name, size in shown]
        yield page_verdict.bars(rows, words.plain("bars"))
        if more := len(growth) - len(shown):
            yield markup.paragraph(words("more", n=more))
    if "dependence" in facts.plots:
        picture = facts.plots["dependence"]
        yield markup.picture(picture, words.plain("dependence_alt"), words("dependence"))
