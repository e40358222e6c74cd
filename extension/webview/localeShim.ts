// uPlot asks Intl for the browser's language as soon as it is loaded, and under LANG=C Chromium has
// one (`en-US@posix`) that Intl refuses, which would end the whole page. Imported before it.
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US' });
}
