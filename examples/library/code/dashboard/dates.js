// Periods of time that people choose above a chart.

const DAY = 24 * 60 * 60 * 1000;

/** Turns "today", "week" or "season" into a start and an end. */
export function presetRange(name, now = new Date()) {
  const start = new Date(now);
  start.setHours(0, 0, 0, 0);
  if (name === "week") start.setDate(start.getDate() - ((start.getDay() + 6) % 7));
  if (name === "season") {
    if (start.getMonth() < 1) start.setFullYear(start.getFullYear() - 1);
    start.setMonth(1, 1);
  }
  return { start, end: now };
}

export function limitToPlan(range, historyDays, now = new Date()) {
  const oldest = new Date(now - historyDays * DAY);
  return {
    start: range.start < oldest ? oldest : range.start,
    end: range.end,
    shortened: range.start < oldest,
  };
}

/** Number of the week after ISO 8601: week 1 holds the first Thursday of the year. */
export function isoWeek(date) {
  const thursday = new Date(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return Math.ceil(((thursday - newYear) / DAY + 1) / 7);
}

export function agoText(then, now = Date.now()) {
  const minutes = Math.floor((now - then) / 60000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h`;
  return `${Math.floor(minutes / (24 * 60))} d`;
}
