// Numbers as people write them.

const DIGITS = { temperature: 1, humidity: 0, co2: 0, vpd: 2 };

export function formatReading(value, kind, locale = "en") {
  if (value === null || Number.isNaN(value)) return "–";
  const digits = DIGITS[kind] ?? 1;
  return value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function celsiusTo(unit, degrees) {
  return unit === "F" ? degrees * 1.8 + 32 : degrees;
}

/** Reads "21,5", "21.5" and " 1 013,2 " alike; returns null for anything that is no number. */
export function parseDecimal(text) {
  const plain = text.replace(/\s/g, "").replace(",", ".");
  return /^[-+]?\d+(\.\d+)?$/.test(plain) ? Number(plain) : null;
}

export function signalBars(dbm) {
  const steps = [-110, -105, -95, -85];
  return steps.filter((step) => dbm > step).length;
}
