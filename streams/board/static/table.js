// Draws a view into the page. Texts only ever become text nodes: what a device calls itself is
// shown as it is written, and never read as markup.

// How closely rows are set, and how many alerts each then shows.
const DENSITIES = { roomy: 3, normal: 2, close: 1, snug: 1, dense: 1 };

// A judgement younger than this is of now, and saying so on every bed would only be noise.
const JUST_JUDGED_S = 5;

const rows = new Map();
const announced = new Set();
const saidOf = new WeakMap();
const narrow = matchMedia("(max-width: 1160px)");
let fitted = "";

export function draw(view) {
  drawCounts(view.counts);
  put(document.getElementById("units"), view.units.join(", ") || "no bed yet");
  put(document.getElementById("limits"), limits(view));
  document.getElementById("nobody").hidden = view.rows.length > 0;
  drawTime(document.getElementById("as-of"), view.as_of);
  fit(view);
  announce(view.rows);
}

// A wall display cannot be scrolled: rows move together until all of them fit.
function fit(view) {
  const shape = view.rows.map((row) => [row.patient, row.alerts.length, row.doubts.length]);
  const main = document.querySelector("main");
  const key = JSON.stringify([shape, main.clientWidth, main.clientHeight]);
  if (key === fitted) {
    drawRows(view, DENSITIES[document.body.dataset.density]);
    return;
  }
  fitted = key;
  for (const [density, most] of Object.entries(DENSITIES)) {
    document.body.dataset.density = density;
    drawRows(view, most);
    // Cards, on a narrow screen, are scrolled anyway.
    if (main.scrollHeight <= main.clientHeight || narrow.matches) break;
  }
}

function limits(view) {
  const names = view.profiles.join(", ") || "no profile known yet";
  const off = view.counts.left_off;
  const speed = view.limits.speed === 1 ? "" : ` · demonstration: time runs ${view.limits.speed}×`;
  return `Limits: profile ${names}${off ? ` · ${off} beds without a course for a day left off` : ""}${speed}`;
}

function drawCounts(counts) {
  const unknown = counts.on_ino_unknown ? ` + ${counts.on_ino_unknown}?` : "";
  count("high", counts.high_open, counts.high_open > 0);
  count("medium", counts.medium_open, counts.medium_open > 0);
  count("undelivered", counts.undelivered, counts.undelivered > 0);
  count("silent", counts.silent, counts.silent > 0);
  count("methb", counts.methb_near, counts.methb_near > 0);
  count("on_ino", `${counts.on_ino}${unknown}`, counts.on_ino_unknown > 0);
  count("beds", counts.beds, false);
  count("oldest", counts.oldest_data, false);
}

function count(name, text, calls) {
  const tile = document.querySelector(`[data-count="${name}"]`);
  tile.dataset.calls = calls;
  put(tile.querySelector("dd"), text);
}

function drawRows(view, most) {
  const body = document.getElementById("rows");
  const here = new Set(view.rows.map((row) => row.patient));
  for (const [patient, row] of rows) {
    if (here.has(patient)) continue;
    row.remove();
    rows.delete(patient);
  }
  view.rows.forEach((row, place) => {
    if (!rows.has(row.patient)) rows.set(row.patient, copyOf("row"));
    const drawn = rows.get(row.patient);
    drawRow(drawn, row, most);
    // Moved only when its place changed, so that a flash goes on undisturbed.
    if (body.children[place] !== drawn) body.insertBefore(drawn, body.children[place] ?? null);
  });
}

function drawRow(drawn, row, most) {
  const at = (name) => drawn.querySelector(`[data-at="${name}"]`);
  drawn.dataset.level = row.state.level;
  drawn.dataset.data = row.data.doubt ? "doubtful" : "fresh";
  drawn.dataset.judged = row.judged.doubt ? "doubtful" : "fresh";
  put(at("bed"), row.bed);
  at("bed").parentElement.dataset.name = row.bed.length > 8 ? "very-long" : row.bed.length > 4 ? "long" : "short";
  put(at("beside"), row.beside);
  at("bed").title = `${row.unit}, patient ${row.patient}, device ${row.device ?? "unknown"}`;
  put(at("symbol"), row.state.symbol);
  put(at("word"), row.state.word);
  put(at("doubts"), row.doubts.map((doubt) => `${doubt.symbol} ${doubt.word}`).join(" · "));
  put(at("set"), row.dose.set);
  put(at("measured"), row.dose.measured);
  put(at("ppm"), row.dose.unit);
  put(at("doing"), row.dose.doing);
  put(at("no2"), row.no2);
  put(at("fio2"), row.fio2);
  put(at("spo2"), row.spo2);
  put(at("check"), row.methb.text);
  at("check").dataset.status = row.methb.status;
  put(at("methb"), row.methb.value);
  put(at("methb-age"), row.methb.age_text);
  titled(at("methb-age"), row.methb.time, "collected");
  titled(at("check"), row.methb.due, "due");
  drawCourse(at, row.course);
  drawAlerts(drawn.querySelector("ul"), row, most);
  put(at("silent"), row.data.doubt);
  put(at("age"), row.data.text);
  titled(at("age"), row.data.time, "measured");
  const judged = `judged ${row.judged.text}${row.judged.age_s > -1 ? " ago" : ""}`;
  put(at("judged"), Math.abs(row.judged.age_s) < JUST_JUDGED_S ? "" : judged);
  titled(at("judged"), row.judged.time, "judged");
}

function drawCourse(at, course) {
  put(at("left"), course.left || course.text);
  put(at("hours"), course.left ? course.text : "");
  at("left").dataset.status = course.over ? "overdue" : "later";
  const bar = at("progress");
  bar.hidden = course.hours === null;
  bar.max = course.limit_h;
  bar.value = Math.min(course.hours ?? 0, course.limit_h);
}

function drawAlerts(list, row, most) {
  const lines = row.alerts.slice(0, most).map(alertLine);
  const rest = row.alerts.slice(most);
  if (rest.length) put(lines.at(-1).querySelector('[data-at="more"]'), `+ ${rest.map(inShort).join(", ")}`);
  if (row.why.length && lines.length < most) lines.push(plain(row.why.join("; "), "why"));
  if (!lines.length) lines.push(plain(row.none, "none"));
  // Rebuilt only when it says something else, so that a screen reader is left in peace.
  const said = lines.map((line) => line.outerHTML).join("");
  if (saidOf.get(list) === said) return;
  saidOf.set(list, said);
  list.replaceChildren(...lines);
}

function inShort(alert) {
  const untold = alert.told.status === "untold" ? " NOT TOLD" : "";
  return `${alert.symbol} ${alert.rule}${untold}`;
}

function alertLine(alert) {
  const line = copyOf("alert");
  const at = (name) => line.querySelector(`[data-at="${name}"]`);
  line.dataset.level = alert.priority;
  put(at("symbol"), alert.symbol);
  put(at("summary"), alert.summary);
  put(at("since"), `for ${alert.age_text}`);
  titled(at("since"), alert.onset, "since");
  put(at("told"), alert.told.text);
  at("told").dataset.status = alert.told.status;
  titled(at("told"), alert.told.time, `${alert.told.sink} answered`);
  return line;
}

function plain(text, name) {
  const line = document.createElement("li");
  line.className = name;
  line.textContent = text;
  return line;
}

function announce(shown) {
  const open = shown.flatMap((row) => {
    const place = /^bed/i.test(row.bed) ? row.bed : `Bed ${row.bed}`;
    const high = row.alerts.filter((alert) => alert.priority === "high");
    return high.map((alert) => ({ id: alert.id, words: `${place}, ${alert.summary}` }));
  });
  const fresh = open.filter((alert) => !announced.has(alert.id));
  announced.clear();
  open.forEach((alert) => announced.add(alert.id));
  if (!fresh.length) return;
  const words = fresh.map((alert) => `High alert: ${alert.words}`).join(". ");
  put(document.getElementById("announcer"), words);
}

function drawTime(node, iso) {
  const time = new Date(iso);
  const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  put(node, time.toLocaleTimeString(undefined, clock));
  node.dateTime = iso;
  node.title = utc(iso);
}

function titled(node, iso, what) {
  const title = iso === null ? "" : `${what} ${utc(iso)}`;
  if (node.title !== title) node.title = title;
}

function utc(iso) {
  return `${new Date(iso).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function put(node, text) {
  const said = String(text);
  if (node.textContent !== said) node.textContent = said;
}

function copyOf(template) {
  return document.getElementById(template).content.firstElementChild.cloneNode(true);
}
