// Follows the feed and keeps the page honest: between two pushes everything grows older by itself,
// and when pushes stop, the page says so in its largest words.

import { draw } from "./table.js";
import { aged, duration } from "./words.js";

// The server speaks at least every 2 s.
const LOST_AFTER_S = 5;
const REOPEN_AFTER_S = 10;

let source = null;
let opened = 0;
let view = null;
let learned = 0;

// A tablet that slept has stopped its monotonic clock, and a wall clock may be set back: the
// larger step of the two is the time that passed.
function clocks() {
  return { wall: Date.now(), steady: performance.now() };
}

function passed(since) {
  const now = clocks();
  return Math.max(now.wall - since.wall, now.steady - since.steady, 0) / 1000;
}

function open() {
  source?.close();
  opened = clocks();
  source = new EventSource("/api/stream");
  source.onmessage = (event) => {
    const next = JSON.parse(event.data);
    // A view whose clock stands still is no news.
    if (view === null || next.as_of !== view.as_of) learned = clocks();
    view = next;
    show();
  };
}

function show() {
  const silence = view === null ? passed(opened) : passed(learned);
  tell(silence);
  if (view !== null) draw(silence < 1 ? view : aged(view, silence * view.limits.speed));
  if (silence > REOPEN_AFTER_S && passed(opened) > REOPEN_AFTER_S) open();
}

function tell(silence) {
  const lost = view !== null && silence > LOST_AFTER_S;
  document.body.dataset.feed = view === null ? "waiting" : lost ? "lost" : "live";
  const banner = document.getElementById("banner");
  banner.hidden = view !== null && !lost;
  if (lost) {
    // A screen reader hears the first half once; the second changes every second.
    put(banner.querySelector('[data-at="what"]'), "Connection lost");
    put(banner.querySelector('[data-at="old"]'), `: what you see is ${duration(silence)} old`);
  }
  const high = view === null ? "?" : view.counts.high_open;
  document.title = `${lost ? "LOST · " : ""}${high} high · iNO ward board`;
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

open();
setInterval(show, 1000);
