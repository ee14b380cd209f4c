"""The report, reports/report.html: one file for people who open neither MLflow nor a terminal.

It loads nothing and runs nothing: the pictures are inside, and its policy forbids the rest, so that
no name or level of a table can do anything but be read.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.report import (
    markup,
    page_again,
    page_answer,
    page_data,
    page_diagnostics,
    page_effects,
    page_limits,
    page_path,
    page_quality,
    page_queries,
)
from pipeline.report.facts import Facts
from pipeline.report.markup import Html, element, void
from pipeline.report.words import Sentences, Words

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

Section = Callable[[Facts], Html]
"""Content of a section; nothing if this result has nothing to say there."""

SECTIONS: dict[str, Section] = {
    "answer": page_answer.section,
    "data": page_data.section,
    "queries": page_queries.section,
    "effects": page_effects.section,
    "quality": page_quality.section,
    "path": page_path.section,
    "diagnostics": page_diagnostics.section,
    "limits": page_limits.section,
    "again": page_again.section,
}
"""The sections by their ids, in order. Another one needs a module, a line here and a heading."""

SENTENCES: Sentences = {
    "en": {
        "kicker": "Report on a regression model",
        "contents": "Contents",
        "title": "{targets} from {features}",
        "question": "What {targets} is to be expected, given {features}?",
        "answer": "The answer in brief",
        "data": "The data",
        "queries": "Answers to the questions asked",
        "effects": "What goes with what",
        "quality": "How good it is, and where not",
        "path": "How much the model was held back",
        "diagnostics": "Diagnostics",
        "limits": "What it must not be used for",
        "again": "How to make it again",
        "foot": "Made by Abline from the files of one result, and made again with each."
        " This page contains no script and loads nothing.",
    },
    "zh": {
        "kicker": "回归模型报告",
        "contents": "目录",
        "title": "由 {features} 预测 {targets}",
        "question": "已知 {features}，{targets} 预计是多少？",
        "answer": "结论概要",
        "data": "数据",
        "queries": "对所提问题的回答",
        "effects": "各列与目标的关系",
        "quality": "模型有多准，哪里不准",
        "path": "惩罚强度的选择",
        "diagnostics": "诊断",
        "limits": "不可用于何处",
        "again": "如何重现",
        "foot": "本页由 Abline 根据同一次结果的文件生成，每次结果都会重新生成。本页不含脚本，"
        "也不加载任何外部内容。",
    },
}

MOST_IN_TITLE = 3
"""Names of columns; the line below has more."""
LONGEST_IN_TITLE = 40

HTML_LANGUAGES = {"en": "en", "zh": "zh-Hans"}


def page(facts: Facts) -> str:
    """Return the text of report.html. The same facts give the same bytes."""
    words = Words(facts.language, SENTENCES)
    names = {
        "targets": words.names(facts.targets),
        "features": words.names(facts.plan.features),
    }
    title = {
        "targets": words.names([*map(short, facts.targets)], MOST_IN_TITLE),
        "features": words.names([*map(short, facts.plan.features)], MOST_IN_TITLE),
    }
    sections = {key: section(facts) for key, section in SECTIONS.items()}
    shown = {key: content for key, content in sections.items() if content}
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    head = element(
        "head",
        void("meta", charset="utf-8"),
        void("meta", http_equiv="Content-Security-Policy", content=POLICY),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        void("meta", name="color-scheme", content="light dark"),
        element("title", _title(facts, words)),
        element("style", Html(style)),
    )
    header = element(
        "header",
        markup.paragraph(words("kicker"), class_="kicker"),
        element("h1", words("title", **title)),
        markup.paragraph(words("question", **names), class_="lead"),
    )
    links = (element("li", element("a", words(key), href=f"#{key}")) for key in shown)
    contents = element("nav", element("ol", *links), aria_label=words.plain("contents"))
    body = (
        element("section", element("h2", words(key)), content, id=key)
        for key, content in shown.items()
    )
    foot = element("footer", markup.paragraph(words("foot")))
    document = element(
        "html",
        head,
        element("body", header, contents, element("main", *body), foot),
        lang=HTML_LANGUAGES[facts.language],
    )
    return f"<!doctype html>\n{document}\n"


def _title(facts: Facts, words: Words) -> str:
    """Return the title, in which no element may stand."""
    between = ", " if facts.language == "en" else "、"

    def listed(names: Sequence[str]) -> str:
        more = "…" * (len(names) > MOST_IN_TITLE)
        return between.join(short(name) for name in names[:MOST_IN_TITLE]) + more

    return words("title", targets=listed(facts.targets), features=listed(facts.plan.features))


def short(name: str) -> str:
    """Return a name that is not too long for a title."""
    return name if len(name) <= LONGEST_IN_TITLE else f"{name[:LONGEST_IN_TITLE]}…"
