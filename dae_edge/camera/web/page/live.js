// The page: what comes over the stream goes to the stage, the settings, the figures and the graphs.

import { Graph } from "/graph.js";
import * as panel from "/panel.js";
import * as stage from "/stage.js";
import { watch } from "/stream.js";

const get = (id) => document.getElementById(id);
const EACH = 500;  // ms between points of the graphs, and between figures, so that they can be read

const rate = new Graph(get("rate-graph"), ["#f5b14c"], 40);
const latency = new Graph(get("latency-graph"), ["#74b9ff", "#f5b14c"], 60);
let figuresAt = 0;

// The token did its work in the first request; it need not stay in the address and the history.
history.replaceState(null, "", "/");

watch({
  width: stage.width,
  show(words, picture) {
    stage.show(picture, words.pair);
    panel.show(words.settings);
    say(words);
    if (words.fps !== undefined && performance.now() - figuresAt >= EACH) figures(words);
  },
  lost(why) {
    state("lost", "not connected");
    curtain(why ? `${why}.` : "The connection was lost. Trying again.");
  },
});

function say({ source, size, status, settings }) {
  put(get("source"), size ? `${source}, ${size.join("x")}` : source);
  if (status) {
    state("lost", "no camera");
    curtain(status);
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

function curtain(text) {
  put(get("curtain"), text);
}

/** Change a text only where it is another one: a screen reader says what changes. */
function put(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}
