"""The report's last section: how to make the model again, and what proves that it is the same."""

import json
from collections.abc import Iterator

from pipeline.report import markup
from pipeline.report.facts import Facts
from pipeline.report.markup import Html, element
from pipeline.report.words import Sentences, Words

COMMANDS = (
    "python -m pipeline.track --find models/model.onnx",
    "make repro",
)
PACKAGES = ("torch", "onnx", "onnxruntime", "numpy", "pyarrow", "python-flint", "mlflow", "dvc")
"""Packages whose versions are shown; requirements.txt pins all."""

SENTENCES: Sentences = {
    "en": {
        "intro": "In the repository that the model came from, two commands: the first names the"
        " commit, and how to get there; the second makes the same bytes.",
        "proof": "It is the same result if these hashes are the same:",
        "what": "what",
        "hash": "hash",
        "training": "training_id: all that the training depends on",
        "onnx": "sha256 of `models/model.onnx`",
        "onnx_md5": "md5 of `models/model.onnx`",
        "md5": "md5 of `{path}`",
        "verified": "The file that ships was compared with the trained model before it was written:"
        " {checks} checks on {rows} rows with onnxruntime {version}, all within what rounding"
        " allows (`reports/verification.json`).",
        "clients": "`models/contract.json` has rows that are hard to answer with the right answers:"
        " another machine shows with them in one call (`conformance()`) that it computes the same.",
        "versions": "Versions: {names}.",
        "params": "Parameters of the data and of the training (`params.yaml`):",
        "figures": "Every figure here rounds one in `reports/metrics.json`,"
        " `reports/coefficients.csv` or `reports/predictions.csv`.",
    },
    "zh": {
        "intro": "在模型所出的代码仓库中执行两条命令：第一条给出对应的提交及取得它的方法，"
        "第二条重新生成逐字节相同的结果。",
        "proof": "若下列哈希值相同，即为同一结果：",
        "what": "对象",
        "hash": "哈希值",
        "training": "training_id：训练所依赖的一切",
        "onnx": "`models/model.onnx` 的 sha256",
        "onnx_md5": "`models/model.onnx` 的 md5",
        "md5": "`{path}` 的 md5",
        "verified": "交付的文件在写出之前已与训练所得的模型比对："
        "以 onnxruntime {version} 在 {rows} 行上做了 {checks}"
        " 项检查，差异均在舍入误差所允许的范围之内（`reports/verification.json`）。",
        "clients": "`models/contract.json` 附有一组难答的行及其正确答案："
        "另一台机器只需一次调用（`conformance()`）"
        "即可证明其计算结果相同。",
        "versions": "版本：{names}。",
        "params": "数据与训练的参数（`params.yaml`）：",
        "figures": "文中各数值均由 `reports/metrics.json`、"
        "`reports/coefficients.csv` 或 `reports/predictions.csv` 中的数值舍入而得。",
    },
}


def section(facts: Facts) -> Html:
    """Return the commands, the hashes, the versions and the parameters."""
    words = Words(facts.language, SENTENCES)
    checks = facts.verification["checks"]
    pins = [markup.code(f"{name} {facts.pins[name]}") for name in PACKAGES if name in facts.pins]
    params = "\n".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in sorted(facts.params.items())
    )
    parts = [
        markup.paragraph(words("intro")),
        element("pre", markup.code("\n".join(COMMANDS))),
        markup.paragraph(words("proof")),
        markup.table([words("what"), words("hash")], _hashes(facts, words), class_="hashes"),
        markup.paragraph(
            words(
                "verified",
                checks=len(checks),
                rows=sum(check["rows"] for check in checks),
                version=facts.contract.onnxruntime,
            )
        ),
        markup.paragraph(words("clients")),
        *([markup.paragraph(words("versions", names=words.listed(pins)))] if pins else []),
        markup.paragraph(words("figures")),
        markup.paragraph(words("params")),
        element("pre", markup.code(params), class_="params"),
    ]
    return markup.join(parts)


def _hashes(facts: Facts, words: Words) -> Iterator[tuple[Html, Html]]:
    source = facts.contract.source
    yield words("training"), markup.code(source.training_id)
    yield words("onnx"), markup.code(facts.contract.sha256)
    if "model_md5" in facts.verification:
        yield words("onnx_md5"), markup.code(facts.verification["model_md5"])
    for path, md5 in sorted(source.md5.items()):
        yield words("md5", path=path), markup.code(md5)
