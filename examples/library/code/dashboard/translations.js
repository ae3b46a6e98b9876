// Texts of the dashboard in the language of the browser.

/** Returns the text of a key with {names} filled in; falls back to English, then to the key itself. */
export function translate(catalogue, language, key, values = {}) {
  const text = catalogue[language]?.[key] ?? catalogue.en?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export function pickLanguage(wanted, offered) {
  for (const tag of wanted) {
    const short = tag.toLowerCase().split("-")[0];
    if (offered.includes(short)) return short;
  }
  return "en";
}
