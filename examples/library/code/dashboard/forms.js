// Checks of what people type; each returns the key of a message, or null when all is well.

import { parseDecimal } from "./units.js";

export function checkLimits(lowText, highText, setPoint) {
  const low = parseDecimal(lowText);
  const high = parseDecimal(highText);
  if (low === null || high === null) return "limits.notANumber";
  if (low >= high) return "limits.crossed";
  if (setPoint - low < 2 || high - setPoint < 2) return "limits.tooClose";
  return null;
}

export function checkPin(pin) {
  if (!/^\d{6}$/.test(pin)) return "pin.sixDigits";
  if (/^(\d)\1{5}$/.test(pin) || "0123456789876543210".includes(pin)) return "pin.tooEasy";
  return null;
}

/** Turns "0451 / 12 34-5" into "+4945112345", the form that text messages need. */
export function normalisePhone(text, countryCode = "49") {
  const digits = text.replace(/[^\d+]/g, "");
  if (digits.startsWith("+")) return digits;
  if (digits.startsWith("00")) return `+${digits.slice(2)}`;
  return `+${countryCode}${digits.replace(/^0/, "")}`;
}
