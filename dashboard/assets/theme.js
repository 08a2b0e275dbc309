/* Runs in <head>, before anything is painted: the remembered theme, else the system's. */
(function () {
  var kept = null;
  try {
    kept = localStorage.getItem("mantine-color-scheme-value");
  } catch (refused) {
    /* Storage may be forbidden; the system's theme it is. */
  }
  var dark = matchMedia("(prefers-color-scheme: dark)").matches;
  var theme = kept === "light" || kept === "dark" ? kept : dark ? "dark" : "light";
  document.documentElement.setAttribute("data-mantine-color-scheme", theme);
})();
