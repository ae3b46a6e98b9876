// Scaling and thinning of the curves on the dashboard.

/** Returns about `count` round values that cover low to high, for the labels of an axis. */
export function niceTicks(low, high, count = 5) {
  const rough = (high - low || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((value) => value >= rough);
  const ticks = [];
  for (let i = Math.floor(low / step); i * step < high + step; i += 1) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return ticks;
}

export function toPixel(value, [low, high], height) {
  if (high === low) return height / 2;
  return Math.round(height - ((value - low) / (high - low)) * height);
}

// A year has half a million points and a screen two thousand columns: keep the extremes of each column.
export function thinOut(points, columns) {
  if (points.length <= 2 * columns) return points;
  const size = Math.ceil(points.length / columns);
  const kept = [];
  for (let i = 0; i < points.length; i += size) {
    const bucket = points.slice(i, i + size);
    const lowest = bucket.reduce((a, b) => (b.y < a.y ? b : a));
    const highest = bucket.reduce((a, b) => (b.y > a.y ? b : a));
    kept.push(...(lowest.x <= highest.x ? [lowest, highest] : [highest, lowest]));
  }
  return kept;
}

/** Splits a curve where a sensor was silent, so that no straight line pretends to be a measurement. */
export function splitAtGaps(points, longestGap) {
  const pieces = [];
  for (const point of points) {
    const piece = pieces[pieces.length - 1];
    if (piece && point.x - piece[piece.length - 1].x <= longestGap) piece.push(point);
    else pieces.push([point]);
  }
  return pieces;
}

export function nearestPoint(points, x) {
  let low = 0;
  let high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle].x < x) low = middle;
    else high = middle;
  }
  return x - points[low].x <= points[high].x - x ? points[low] : points[high];
}
