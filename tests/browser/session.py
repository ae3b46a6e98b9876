"""A session of the app without a browser: Streamlit's own messages over a websocket, so that hundreds cost little."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

_IN_BETWEEN = ForwardMsg.FINISHED_EARLY_FOR_RERUN


class Session:
    """Opens a page and asks, as a browser would.

    Args:
        address: The server, `http://localhost:8501`.
        origin: The site of the page that connects; by default the server's own.
        seconds: Longest wait for one run of the page.
    """

    def __init__(self, address: str, origin: str | None = None, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._known: dict[str, ForwardMsg] = {}
        self._query = ""
        self.id = ""
        self.chat_input = ""
        self.texts: list[str] = []
        self.errors: list[str] = []
        self._opened = ExitStack()
        self._socket: ClientConnection = self._opened.enter_context(
            connect(
                address.replace("http", "ws", 1) + "/_stcore/stream",
                origin=Origin(origin or address),
                subprotocols=[Subprotocol("streamlit")],
                max_size=None,
                compression=None,
            )
        )
        self.run()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the tab."""
        self._opened.close()

    def run(self, question: str = "") -> float:
        """Run the page, with a question in its input or without; return the seconds it took."""
        message = BackMsg()
        message.rerun_script.query_string = self._query
        if question:
            state = message.rerun_script.widget_states.widgets.add(id=self.chat_input)
            state.chat_input_value.data = question
        return self._send(message)

    def clear_cache(self) -> None:
        """Send what the developer menu's "Clear cache" sends."""
        message = BackMsg()
        message.clear_cache = True
        self._socket.send(message.SerializeToString())

    def _send(self, message: BackMsg) -> float:
        started = time.monotonic()
        self.texts, self.errors = [], []
        self._socket.send(message.SerializeToString())
        self._receive_until(lambda received: received.WhichOneof("type") == "script_finished", started)
        return time.monotonic() - started

    def _receive_until(self, ended: Callable[[ForwardMsg], bool], started: float) -> None:
        while True:
            left = self._seconds - (time.monotonic() - started)
            received = ForwardMsg.FromString(self._socket.recv(timeout=max(0.01, left)))
            if received.WhichOneof("type") == "ref_hash":
                received = self._known[received.ref_hash]
            elif received.metadata.cacheable:
                self._known[received.hash] = received
            self._note(received)
            if ended(received) and received.script_finished != _IN_BETWEEN:
                return

    def _note(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.id = message.new_session.initialize.session_id or self.id
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "session_event" and message.session_event.WhichOneof("type") == "script_compilation_exception":
            self.errors.append(message.session_event.script_compilation_exception.message)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            shown = element.WhichOneof("type")
            if shown == "chat_input":
                self.chat_input = element.chat_input.id
            elif shown == "html":
                self.texts.append(element.html.body)
            elif shown == "alert":
                self.errors.append(element.alert.body)
            elif shown == "exception":
                self.errors.append(element.exception.message)
