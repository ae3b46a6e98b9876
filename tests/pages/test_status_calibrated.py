"""The status page shows shares that an index calibrated, and takes them back."""

from rag.tasks import get_task
from rag.tasks.calibrated import Calibration, load_calibration, save_calibration
from tests.pages.app_driver import html, press, texts

FAQ = b"question,answer\nHow do I pair the remote?,Hold the button.\n"


def calibrate(rag):
    """Keep shares as if the index had calibrated them."""
    parts = rag._parts
    recipe = parts.recipes.shipped("faq")
    index = parts.catalog.active_index("faq").collection
    prior = recipe.task.mix.dense_weight
    calibration = Calibration("faq", index, recipe.models, prior, 0.8, questions=40, gain=-0.001, by_hand=True)
    save_calibration(rag.settings.data_dir, calibration)


def test_shares_are_shown_with_their_grounds_and_taken_back_by_one_click(start, shared, fill):
    fill([("faq.csv", FAQ)], "faq")
    rag = shared().rag
    calibrate(rag)
    app = start("status")
    assert "80.0% dense in place of 90%, by 40 questions made of its passages (expected -0.001 nDCG@10" in html(app)
    assert "Calibrated" in texts(app, "subheader")
    press(app, "Take back")
    assert "in place of" not in html(app)
    assert not any(each.label == "Take back" for each in app.button)
    assert rag._parts.recipes.of("faq").task.mix.dense_weight == get_task("faq").mix.dense_weight
    assert load_calibration(rag.settings.data_dir, "faq").off


def test_without_any_nothing_is_shown(start, library):
    assert "Calibrated" not in texts(start("status"), "subheader")
