"""The report's section on the data: its rows and columns, and what becomes of gaps and levels."""

from collections.abc import Iterator

from pipeline.columns.category import MISSING, RARE, CategoryColumn
from pipeline.columns.date import DateColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import AnyColumn
from pipeline.columns.queries import iso
from pipeline.report import markup, row_words
from pipeline.report.facts import Facts
from pipeline.report.markup import Html, element
from pipeline.report.words import Sentences, Words, number
from pipeline.settings.params import GENERATE

MOST_COLUMNS_SHOWN = 60
MOST_LEVELS_SHOWN = 12

SENTENCES: Sentences = {
    "en": {
        "generated": "The rows were made by the program itself, for practice.",
        "source": "Source: {source}.",
        "held": "Held out: {rows}.",
        "held_seed": "The rows held out were chosen one by one, at random by the seed {seed}.",
        "in_source": "rows of the source",
        "missing_in": "left out, because {column} was missing",
        "no_weight": "left out, because their weight, {column}, was missing or 0",
        "weighted": "Rows are {how}. The figures of this report count them so; numbers of rows do"
        " not.",
        "terms": "Further numbers are made of them: {names}.",
        "gap": "left out, between the days that train and those held out",
        "train": "train the model",
        "test": "held out, to judge it",
        "rows": "Rows",
        "column": "column",
        "values": "values in the rows that train (levels with their rows)",
        "missing": "a missing value",
        "unseen": "any other value",
        "target": "{name} (to be predicted)",
        "range": "{low} to {high}",
        "with_gaps": "{n} row without; {becomes} | {n} rows without; {becomes}",
        "refused": "is refused",
        "filled": "becomes {fill}",
        "filled_flag": "becomes {fill}, and counts as missing besides",
        "as_level": "is a level of its own",
        "extrapolated": "is answered, as a guess",
        "as_reference": "is answered as {level}",
        "level": "{level} ({n})",
        "level_reference": "**{level}** ({n}, the reference)",
        "folded": "{level} ({n}, rare levels together)",
        "parts": "used: {parts}",
        "days": "days since 1970",
        "year": "year",
        "month": "month",
        "weekday": "day of the week",
        "hour": "hour",
        "excluded": "Columns of the source that are not used: {names}.",
        "more": "{n} column more is in `data/columns.json`. | {n} columns more are in"
        " `data/columns.json`.",
        "encoded": "They become {n} number for each row. | They become {n} numbers for each row.",
    },
    "zh": {
        "generated": "数据由程序自行生成，用于练习。",
        "source": "来源：{source}。",
        "held": "留出的行：{rows}。",
        "held_seed": "留出的行由种子 {seed} 逐行随机选出。",
        "in_source": "数据源的行数",
        "missing_in": "未采用：{column} 缺失",
        "no_weight": "未采用：权重 {column} 缺失或为 0",
        "weighted": "各行{how}。文中各项指标均按权重计算，行数则不然。",
        "terms": "另由它们构成：{names}。",
        "gap": "未采用：日期介于训练与留出之间",
        "train": "用于训练",
        "test": "留出，用于检验",
        "rows": "行数",
        "column": "列",
        "values": "训练数据中的取值（各水平附行数）",
        "missing": "缺失值",
        "unseen": "其他取值",
        "target": "{name}（预测目标）",
        "range": "{low} 至 {high}",
        "with_gaps": "{n} 行缺失；{becomes}",
        "refused": "拒绝回答",
        "filled": "以 {fill} 代替",
        "filled_flag": "以 {fill} 代替，并另记为缺失",
        "as_level": "自成一个水平",
        "extrapolated": "照常回答，但属外推",
        "as_reference": "按 {level} 回答",
        "level": "{level}（{n}）",
        "level_reference": "**{level}**（{n}，参照）",
        "folded": "{level}（{n}，罕见水平合并）",
        "parts": "采用：{parts}",
        "days": "自 1970 年起的天数",
        "year": "年",
        "month": "月",
        "weekday": "星期",
        "hour": "小时",
        "excluded": "数据源中未使用的列：{names}。",
        "more": "另有 {n} 列，见 `data/columns.json`。",
        "encoded": "它们在每一行中化为 {n} 个数。",
    },
}


def section(facts: Facts) -> Html:
    """Return the rows with what became of them, and the columns with what becomes of theirs."""
    words = Words(facts.language, SENTENCES)
    columns = facts.plan.columns
    header = [words(key) for key in ("column", "values", "missing", "unseen")]
    cells = []
    for name, (low, high) in facts.target_ranges.items():
        values = words("range", low=number(low), high=number(high))
        cells.append([words("target", name=markup.name(name)), values, Html(), Html()])
    cells += [[markup.name(c.name), *_cells(c, words)] for c in columns[:MOST_COLUMNS_SHOWN]]
    parts = [
        markup.paragraph(markup.join(_source(facts, words), " " * (facts.language == "en"))),
        element("dl", *_rows(facts, words), class_="counts"),
        markup.table(header, cells, class_="columns"),
    ]
    if len(columns) > MOST_COLUMNS_SHOWN:
        parts.append(markup.paragraph(words("more", n=len(columns) - MOST_COLUMNS_SHOWN)))
    if not facts.plan.is_matrix:
        parts.append(markup.paragraph(words("encoded", n=len(facts.plan.encoded_names))))
    if facts.plan.terms:
        names = words.listed([markup.code(term.name) for term in facts.plan.terms], 30)
        parts.append(markup.paragraph(words("terms", names=names)))
    if facts.plan.excluded:
        parts.append(
            markup.paragraph(words("excluded", names=words.names(facts.plan.excluded, 30)))
        )
    return markup.join(parts)


def _source(facts: Facts, words: Words) -> Iterator[Html]:
    source = facts.params["data.source"]
    if source == GENERATE:
        yield words("generated")
    else:
        yield words("source", source=markup.code(source))
    if facts.test_rows:
        chosen = row_words.held_out(facts.params["data.test_fraction"], markup.name, facts.language)
        if chosen is None:
            yield words("held_seed", seed=str(facts.params["seed"]))
        else:
            yield words("held", rows=Html(chosen))
    if facts.plan.weights is not None:
        told = row_words.weights(facts.plan.weights, markup.name, facts.language)
        yield words("weighted", how=Html(told))


def _rows(facts: Facts, words: Words) -> Iterator[Html]:
    """Yield the counts of the rows: what they are, and how many."""
    rows = facts.plan.rows
    counts = [(words("in_source"), rows.source)]
    counts += [
        (words(_why_dropped(name, facts), column=markup.name(name)), count)
        for name, count in rows.dropped.items()
        if count
    ]
    counts += [(words("gap"), rows.gap)] if rows.gap else []
    counts += [(words("train"), facts.training_rows), (words("test"), facts.test_rows)]
    for label, count in counts:
        yield element("div", element("dt", label), element("dd", number(count)))


def _why_dropped(column: str, facts: Facts) -> str:
    """Return the key of the reason why rows were left out, by the column that it is told of."""
    weights = facts.plan.weights
    return "no_weight" if weights is not None and column == weights.by else "missing_in"


def _cells(column: AnyColumn, words: Words) -> tuple[Html, Html, Html]:
    """Return the values of a column, what a gap becomes, and what an unseen value becomes."""
    if isinstance(column, NumberColumn):
        values = words("range", low=number(column.min), high=number(column.max))
        gap = words("refused")
        if column.fill is not None:
            key = "filled_flag" if column.indicator else "filled"
            gap = words(key, fill=number(column.fill))
        return values, _gap(column, gap, words), words("extrapolated")
    if isinstance(column, CategoryColumn):
        gap = words("as_level" if column.has_missing else "refused")
        level = {"rare": RARE, "reference": column.reference}.get(column.unseen)
        unseen = words("as_reference", level=markup.name(level)) if level else words("refused")
        return _levels(column, words), _gap(column, gap, words), unseen
    parts = words.listed([words(part) for part in column.parts])
    span = words("range", low=iso(column.min, column), high=iso(column.max, column))
    values = markup.join(
        [span, words("parts", parts=parts)], "; " if words.language == "en" else "；"
    )
    has_levels = isinstance(column, DateColumn) and bool(column.levels)
    return values, words("refused"), words("refused" if has_levels else "extrapolated")


def _gap(column: AnyColumn, becomes: Html, words: Words) -> Html:
    if not column.missing_rows:
        return becomes
    return words("with_gaps", n=column.missing_rows, becomes=becomes)


def _levels(column: CategoryColumn, words: Words) -> Html:
    rows = {MISSING: column.missing_rows, RARE: column.rare_rows}
    rows |= {level.name: level.rows for level in column.levels}  # whatever they are called
    learnt = {level.name for level in column.levels}

    def key(level: str) -> str:
        if level == column.reference:
            return "level_reference"
        return "folded" if level == RARE and level not in learnt else "level"

    return words.listed(
        [words(key(level), level=markup.name(level), n=rows[level]) for level in column.all_levels],
        MOST_LEVELS_SHOWN,
    )
