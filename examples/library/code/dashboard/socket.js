// Live values over a websocket that comes back by itself.

export function nextDelay(attempt, random = Math.random) {
  const ceiling = Math.min(30000, 500 * 2 ** attempt);
  return ceiling / 2 + (random() * ceiling) / 2;
}

/** Opens the stream and opens it again whenever it breaks, until the returned function is called. */
export function openStream(url, onMessage, onState) {
  let attempt = 0;
  let timer = null;
  let stopped = false;
  let socket;
  function connect() {
    socket = new WebSocket(url);
    socket.onopen = () => {
      attempt = 0;
      onState("live");
    };
    socket.onmessage = (event) => onMessage(JSON.parse(event.data));
    socket.onclose = () => {
      if (stopped) return;
      onState("waiting");
      timer = setTimeout(connect, nextDelay(attempt));
      attempt += 1;
    };
  }
  connect();
  return () => {
    stopped = true;
    clearTimeout(timer);
    socket.close();
  };
}

/** Merges a message that holds only what changed into the values on the screen. */
export function applyPatch(state, patch) {
  const merged = { ...state };
  for (const [sensor, values] of Object.entries(patch)) {
    if (values === null) delete merged[sensor];
    else merged[sensor] = { ...merged[sensor], ...values };
  }
  return merged;
}
