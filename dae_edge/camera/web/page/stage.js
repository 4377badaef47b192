// The picture: the camera's half left of the divider, the denoised half right of it.

import { Divider } from "/divider.js";

const element = document.getElementById("stage");
const canvas = document.getElementById("picture");
const brush = canvas.getContext("2d", { alpha: false });
const tags = { before: element.querySelector(".tag.before"), after: element.querySelector(".tag.after") };

let bitmap = null;
let pair = null;  // [width, height, below]: the size of each picture, and where the lower one begins

const divider = new Divider(element, document.getElementById("divider"), draw);

/** Draw a new pair, or with null the one that is there again. */
export function show(newBitmap, newPair) {
  if (newBitmap) {
    bitmap?.close();
    bitmap = newBitmap;
    fit(newPair);
  }
  draw();
}

/** How many pixels across a picture can use here. */
export function width() {
  return Math.round(element.clientWidth * Math.min(devicePixelRatio, 2));
}

function fit(newPair) {
  const [wide, high] = newPair;
  if (!pair || pair[0] !== wide || pair[1] !== high) {
    canvas.width = wide;
    canvas.height = high;
    element.style.setProperty("--ratio", wide / high);
  }
  pair = newPair;
}

function draw() {
  if (!bitmap) return;
  const [wide, high, below] = pair;
  const cut = Math.round(divider.at * wide);
  if (cut > 0) brush.drawImage(bitmap, 0, 0, cut, high, 0, 0, cut, high);
  if (cut < wide) brush.drawImage(bitmap, cut, below, wide - cut, high, cut, 0, wide - cut, high);
  tags.before.classList.toggle("covered", divider.at < 0.12);
  tags.after.classList.toggle("covered", divider.at > 0.88);
}
