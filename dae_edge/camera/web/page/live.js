// The page: what comes over the stream goes to the stage, the settings, the figures and the graphs.

import { Graph } from "/graph.js";
import * as panel from "/panel.js";
import * as stage from "/stage.js";
import { watch } from "/stream.js";

const get = (id) => document.getElementById(id);
const EACH = 500;  // ms between points of the graphs, and between figures, so that they can be read

const rate = new Graph(get("rate-graph"), ["#f5b14c"], 40);
const latency = new Graph(get("latency-graph"), ["#74b9ff", "#f5b14c"], 60);
const FRESH = 1500;  // ms after which a picture is an old one
let figuresAt = 0;
let pictureAt = 0;

// The token did its work in the first request; it need not stay in the address and the history.
history.replaceState(null, "", "/");

watch({
  width: stage.width,
  show(words, picture) {
    stage.show(picture, words.pair);
    if (picture) pictureAt = performance.now();
    panel.show(words.settings);
    say(words);
    if (words.fps !== undefined && performance.now() - figuresAt >= EACH) figures(words);
  },
  async lost(why) {
    state("lost", "not connected");
    curtain(why || await refusal() || "The connection was lost. Trying again.");
  },
});

/** Why the server turns this page away, or "" where it does not answer at all. */
async function refusal() {
  try {
    const answer = await fetch("/icon.svg");
    return answer.ok ? "" : await answer.text();
  } catch {
    return "";
  }
}

function say({ source, size, status, settings }) {
  put(get("source"), size ? `${source}, ${size.join("x")}` : source);
  const fresh = performance.now() - pictureAt < FRESH;
  if (status) {
    state(fresh ? "wait" : "lost", fresh ? "live" : "no picture");
    curtain(status, fresh ? "note" : "");
  } else if (!size) {
    state("wait", "waiting");
    curtain("Waiting for the first picture");
  } else {
    state(settings.frozen ? "held" : "live", settings.frozen ? "frozen" : "live");
    curtain("");
  }
}

function figures({ fps, infer_ms, shown_ms, age_ms, dropped, work, settings }) {
  figuresAt = performance.now();
  const age = shown_ms ?? age_ms;
  put(get("fps"), fps.toFixed(1));
  put(get("dropped"), dropped);
  put(get("work"), work);
  put(get("infer"), infer_ms.toFixed(0));
  put(get("age"), settings.frozen ? "–" : age.toFixed(0));
  const seconds = figuresAt / 1000;
  rate.add(seconds, fps);
  latency.add(seconds, settings.frozen ? 0 : age, infer_ms);
}

function state(kind, text) {
  get("state").dataset.kind = kind;
  put(get("state"), text);
}

/** Say something over the picture; as a "note" it leaves the picture to be seen. */
function curtain(text, kind = "") {
  get("curtain").dataset.kind = kind;
  put(get("curtain"), text);
}

/** Change a text only where it is another one: a screen reader says what changes. */
function put(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}
