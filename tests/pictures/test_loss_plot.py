"""The plot of the loss: axes that end at ticks, on a log scale where that is possible."""

from pathlib import Path

from plotted import texts

from pipeline.pictures import loss_plot


def test_the_axes_of_the_plot_of_the_loss_end_at_ticks(tmp_path: Path) -> None:
    def shown(losses: list[float], test_losses: list[float] | None = None) -> set[str]:
        loss_plot.draw(tmp_path / "loss.svg", losses, test_losses, "loss")
        return set(texts(tmp_path / "loss.svg"))

    falling = shown([44.4, 1.0, 0.145])
    assert "Training loss: 44.4 in epoch 1, 0.145 in epoch 3" in falling
    assert {"100", "10", "1", "0.1"} <= falling, "a logarithmic axis, named at both ends"
    assert "mathdefault" not in (tmp_path / "loss.svg").read_text()
    flat = shown([3.2, 3.1, 3.0], [3.3, 3.2, 3.1])
    assert "10" not in flat, "a curve that hardly falls fills its plot"
    long = shown([2.0 - n / 100 for n in range(100)])
    assert "100" in long, "the axis of the epochs ends at a tick"


def test_a_loss_of_zero_is_drawn_on_a_linear_axis(tmp_path: Path) -> None:
    loss_plot.draw(tmp_path / "loss.svg", [0.0, 0.0], None, "loss")
    assert {"0.00", "1", "2"} <= set(texts(tmp_path / "loss.svg"))
