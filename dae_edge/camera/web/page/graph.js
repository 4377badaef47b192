// A graph of the last minute: one or two lines, a scale that grows in round steps.

const SPAN = 60;  // seconds
const LABELS = 30;  // pixels on the right, for the scale

export class Graph {
  constructor(canvas, colours, least) {
    this.canvas = canvas;
    this.brush = canvas.getContext("2d");
    this.colours = colours;
    this.least = least;  // the scale never shows less
    this.points = [];  // [seconds, value of each line]
  }

  add(seconds, ...values) {
    this.points.push([seconds, ...values]);
    while (this.points[0][0] < seconds - SPAN) this.points.shift();
    this.draw(seconds);
  }

  draw(now) {
    const { canvas, brush } = this;
    const scale = devicePixelRatio;
    const wide = canvas.clientWidth;
    const high = canvas.clientHeight;
    canvas.width = Math.round(wide * scale);
    canvas.height = Math.round(high * scale);
    brush.setTransform(scale, 0, 0, scale, 0, 0);

    const top = roundUp(Math.max(this.least, ...this.points.flatMap((point) => point.slice(1))));
    const right = wide - LABELS;
    const x = (seconds) => right - (now - seconds) / SPAN * right;
    const y = (value) => high - 6 - value / top * (high - 12);

    brush.font = "11px system-ui, sans-serif";
    brush.textBaseline = "middle";
    for (const value of [0, top / 2, top]) {
      brush.strokeStyle = "#2a3038";
      brush.lineWidth = 1;
      line(brush, [[0, Math.round(y(value)) + 0.5], [right, Math.round(y(value)) + 0.5]]);
      brush.fillStyle = "#9ba4b0";
      brush.fillText(String(value), right + 6, y(value));
    }
    this.colours.forEach((colour, index) => {
      brush.strokeStyle = colour;
      brush.lineWidth = 1.75;
      brush.lineJoin = "round";
      line(brush, this.points.map((point) => [x(point[0]), y(point[index + 1])]));
    });
  }
}

function line(brush, points) {
  brush.beginPath();
  for (const [x, y] of points) brush.lineTo(x, y);
  brush.stroke();
}

/** The next of 10, 20, 40, 60, 80, 100, 200 and so on. */
function roundUp(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((step) => step * unit).find((step) => step >= value);
}
