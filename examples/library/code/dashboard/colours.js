// Colours of tiles and texts.

/** Green inside the band, yellow outside, red beyond the alarm limits, grey without a value. */
export function tileColour(value, { low, high, alarmLow, alarmHigh }) {
  if (value === null) return "#9e9e9e";
  if (value < alarmLow || value > alarmHigh) return "#c62828";
  return value < low || value > high ? "#f9a825" : "#2e7d32";
}

export function readableTextOn(background) {
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(background.slice(i, i + 2), 16) / 255);
  const luminance = 0.299 * red + 0.587 * green + 0.114 * blue;
  return luminance > 0.55 ? "#000000" : "#ffffff";
}
