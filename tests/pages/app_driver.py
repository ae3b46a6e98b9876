"""Drives the app without a browser."""

from pathlib import Path
from threading import Event

from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).resolve().parents[2] / "app.py")


def new_app(services=None, conversation=""):
    """An app that has not run yet; without services it makes its own from the settings."""
    app = AppTest.from_file(APP, default_timeout=60)
    if services is not None:
        app.session_state["services"] = services
    if conversation:
        app.query_params["c"] = conversation
    return app


def html(app):
    return "\n".join(element.proto.body for element in app.get("html"))


def texts(app, kind):
    """The texts of one kind of element, without the escapes that keep them plain."""
    return " ".join(unescaped(element.value) for element in app.get(kind))


def unescaped(text):
    return str(text).replace("\\", "").replace("\u2060", "")


def ask(app, question):
    app.chat_input[0].set_value(question).run()
    assert not app.exception
    return app


def button(app, label):
    return next(button for button in app.button if button.label == label)


def press(app, label):
    button(app, label).click().run()
    assert not app.exception
    return app


def wait_for_jobs(app, seconds=60):
    """Wait until no job is left, and draw the page again."""
    jobs, pause = app.session_state["services"].jobs, Event()
    for _ in range(int(seconds / 0.05)):
        if not jobs.active():
            app.run()
            assert not app.exception
            return app
        pause.wait(0.05)
    raise AssertionError(f"still at work: {jobs.views()}")
