// The list of alarms beside the map.

const RANK = { A: 0, B: 1, C: 2 };

/** Open ones first, then by class, then the youngest on top. */
export function sortAlarms(alarms) {
  return [...alarms].sort(
    (a, b) =>
      Number(Boolean(a.acknowledged)) - Number(Boolean(b.acknowledged)) ||
      RANK[a.class] - RANK[b.class] ||
      b.raised - a.raised,
  );
}

export function groupBySite(alarms) {
  const sites = new Map();
  for (const alarm of alarms) {
    if (!sites.has(alarm.site)) sites.set(alarm.site, []);
    sites.get(alarm.site).push(alarm);
  }
  return sites;
}

// Quiet hours may run past midnight; class A alarms always get through.
export function isSilenced(alarm, quiet, minuteOfDay) {
  if (alarm.class === "A") return false;
  const { from, until } = quiet;
  return from <= until
    ? minuteOfDay >= from && minuteOfDay < until
    : minuteOfDay >= from || minuteOfDay < until;
}

export function collapseRepeats(alarms, within = 10 * 60 * 1000) {
  const shown = [];
  for (const alarm of alarms) {
    const last = shown[shown.length - 1];
    if (last && last.code === alarm.code && alarm.raised - last.raised < within) last.times += 1;
    else shown.push({ ...alarm, times: 1 });
  }
  return shown;
}
