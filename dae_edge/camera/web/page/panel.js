// The settings: what a person changes is posted; what the loop says is shown, on every page alike.

const get = (id) => document.getElementById(id);
const notice = get("notice");
const HOLD = 700;  // ms during which a control that was just touched is not moved by what the loop says

const touched = new Map();  // setting -> when
let waiting = null;  // settings to send when the request under way is done
let recordingSince = 0;
let lastNotice = null;

for (const name of ["strength", "brighten"]) {
  get(name).addEventListener("input", (event) => {
    paint(name, event.target.value);
    change({ [name]: event.target.value / 100 });
  });
}
get("model").addEventListener("change", (event) => change({ model: event.target.value }));
for (const [id, setting] of [["record", "recording"], ["freeze", "frozen"]]) {
  get(id).addEventListener("click", () => {
    const on = get(id).getAttribute("aria-pressed") !== "true";
    press(id, on);
    change({ [setting]: on });
  });
}
get("snapshot").addEventListener("click", () => post("/snapshot", {}));

/** Show all settings as the loop has them. */
export function show(settings) {
  for (const name of ["strength", "brighten"]) {
    if (!held(name)) paint(name, Math.round(100 * settings[name]));
  }
  if (!held("recording")) press("record", settings.recording);
  if (!held("frozen")) press("freeze", settings.frozen);
  offer(settings.models);
  if (!held("model")) get("model").value = settings.model;
  if (lastNotice !== null && settings.notice !== lastNotice) say(settings.notice);
  lastNotice = settings.notice;
}

function held(setting) {
  return performance.now() - (touched.get(setting) ?? -HOLD) < HOLD;
}

function paint(name, percent) {
  const slider = get(name);
  slider.value = percent;
  slider.style.setProperty("--filled", `${percent}%`);
  slider.setAttribute("aria-valuetext", `${percent} percent`);
  get(`${name}-value`).textContent = `${percent} %`;
}

function press(id, on) {
  const button = get(id);
  const label = button.querySelector("span");
  button.setAttribute("aria-pressed", on);
  if (id === "record") {
    recordingSince = on ? recordingSince || performance.now() : 0;
    const seconds = Math.floor((performance.now() - recordingSince) / 1000);
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    label.textContent = on ? `Stop ${clock}` : "Record";
  } else {
    label.textContent = on ? "Go on" : "Freeze";
  }
}

function offer(models) {
  const list = get("model");
  if (list.options.length === models.length) return;
  list.replaceChildren(...models.map((name) => new Option(name, name)));
  list.disabled = models.length < 2;
}

function say(text, kind = "") {
  notice.textContent = text;
  notice.dataset.kind = kind;
}

/** Post settings, one request at a time; while one is under way the newest values are kept. */
async function change(values) {
  for (const name of Object.keys(values)) touched.set(name, performance.now());
  if (waiting) {
    Object.assign(waiting, values);
    return;
  }
  waiting = {};
  await post("/settings", values);
  const next = waiting;
  waiting = null;
  if (Object.keys(next).length) change(next);
}

async function post(path, values) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(values),
    });
    if (!answer.ok) say((await answer.json()).error, "bad");
  } catch {
    say("The program does not answer.", "bad");
  }
}
