// The living words of the board, for the seconds between two pushes.
//
// The server words everything; here only times are said again, so that a feed that froze grows old
// before the eyes of whoever looks. A test holds these words to those of words.py.

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86400;
const DAYS_FROM_S = 48 * HOUR_S;
const WHOLE_HOURS_FROM_S = 10 * HOUR_S;

export function duration(seconds) {
  const whole = Math.trunc(Math.max(0, seconds));
  if (whole < MINUTE_S) return `${whole} s`;
  if (whole < HOUR_S) return `${Math.trunc(whole / MINUTE_S)} min`;
  const hours = Math.trunc(whole / HOUR_S);
  if (whole < WHOLE_HOURS_FROM_S) return two(hours, "h", Math.trunc((whole % HOUR_S) / MINUTE_S), "min");
  if (whole < DAYS_FROM_S) return `${hours} h`;
  return two(Math.trunc(whole / DAY_S), "d", Math.trunc((whole % DAY_S) / HOUR_S), "h");
}

function two(great, unit, small, smallUnit) {
  return small ? `${great} ${unit} ${small} ${smallUnit}` : `${great} ${unit}`;
}

export function age(seconds) {
  return seconds <= -1 ? `${duration(-seconds)} ahead` : duration(seconds);
}

export function countdown(dueInS, overdueInS) {
  const missedInS = overdueInS ?? dueInS;
  if (missedInS < 0) return `overdue by ${duration(-missedInS)}`;
  if (dueInS > 0) return `due in ${duration(dueInS)}`;
  return overdueInS === null ? "due now" : `due, ${duration(missedInS)} left`;
}

// The same view, `passedS` seconds of ward time later and with nothing new learned since.
export function aged(view, passedS) {
  const later = structuredClone(view);
  for (const row of later.rows) {
    older(row.judged, passedS);
    older(row.data, passedS);
    for (const alert of row.alerts) {
      alert.age_s += passedS;
      alert.age_text = age(alert.age_s);
    }
    laterMethb(row.methb, passedS);
    if (row.data.age_s > view.limits.data_s) row.data.doubt = "NO DATA";
    if (row.judged.age_s > view.limits.judged_s) notJudged(row);
  }
  if (later.counts.oldest_data_age_s !== null) {
    later.counts.oldest_data_age_s += passedS;
    later.counts.oldest_data = age(later.counts.oldest_data_age_s);
  }
  return later;
}

function older(what, passedS) {
  if (what.age_s === null) return;
  what.age_s += passedS;
  what.text = age(what.age_s);
}

function laterMethb(methb, passedS) {
  if (methb.age_s !== null) {
    methb.age_s += passedS;
    methb.age_text = methb.age_s > -1 ? `${age(methb.age_s)} ago` : age(methb.age_s);
  }
  if (methb.due_in_s === null) return;
  methb.due_in_s -= passedS;
  if (methb.overdue_in_s !== null) methb.overdue_in_s -= passedS;
  methb.text = countdown(methb.due_in_s, methb.overdue_in_s);
  if ((methb.overdue_in_s ?? methb.due_in_s) < 0) methb.status = "overdue";
  else if (methb.due_in_s <= 0) methb.status = "due";
}

// A row that nobody judged for too long loses its good looks; an alert it keeps.
function notJudged(row) {
  const word = "NOT JUDGED";
  row.judged.doubt = word;
  row.none = "none known of";
  if (row.state.word === word || row.doubts.some((doubt) => doubt.word === word)) return;
  const badge = { level: "unjudged", symbol: "?", word };
  if (["high", "medium", "low"].includes(row.state.level)) {
    row.doubts.unshift(badge);
    return;
  }
  if (row.state.level === "unjudged") row.doubts.unshift(row.state);
  row.state = badge;
}
