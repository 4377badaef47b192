// The live stream: a WebSocket that is opened while the page is looked at, and again when it was lost.

const FIRST_PAUSE = 500;  // ms before another try; doubled each time
const LONGEST_PAUSE = 8000;
const TOO_MANY = 1013;

/**
 * Watch. `show(words, picture)` draws one message and may take its time: the next answer, and with it
 * the next frames, wait for it. `picture` is an ImageBitmap where the message brought a new one, else
 * null. `width()` is how many pixels a picture can use. `lost(why)` is told of every break.
 */
export function watch({ show, width, lost }) {
  let socket = null;
  let pause = FIRST_PAUSE;
  let retry = 0;

  function open() {
    clearTimeout(retry);
    if (socket || document.hidden) return;
    const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/watch`);
    let turn = Promise.resolve();
    socket = mine;
    mine.binaryType = "arraybuffer";
    mine.onmessage = ({ data }) => {
      const words = head(data);
      const picture = body(data);  // decoding begins while the one before is still drawn
      turn = turn.then(async () => {
        show(words, await picture);
        pause = FIRST_PAUSE;
        if (mine.readyState === WebSocket.OPEN) mine.send(`${words.id} ${width()}`);
      }).catch(() => mine.close());
    };
    mine.onclose = ({ code, reason }) => {
      if (socket !== mine) return;
      socket = null;
      lost(code === TOO_MANY ? reason : "");
      retry = setTimeout(open, pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    };
  }

  function close() {
    clearTimeout(retry);
    const old = socket;
    socket = null;
    old?.close();
  }

  // A page nobody looks at costs neither machine anything.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
}

function head(data) {
  const length = new DataView(data).getUint32(0);
  return JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
}

async function body(data) {
  const jpeg = new Uint8Array(data, 4 + new DataView(data).getUint32(0));
  return jpeg.length ? createImageBitmap(new Blob([jpeg], { type: "image/jpeg" })) : null;
}
