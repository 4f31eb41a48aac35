// Shows the progress of a running campaign anew, without the form below it.
"use strict";

(() => {
  const EVERY_MS = 5000;

  async function refresh(panel) {
    const url = panel.querySelector("[data-refresh-url]")?.dataset.refreshUrl;
    if (!url) return;
    const answer = await fetch(url).catch(() => null);
    const hasFocus = panel.contains(document.activeElement);
    if (answer?.ok && !answer.redirected && !hasFocus) panel.innerHTML = await answer.text(); // escaped by the server
    setTimeout(() => refresh(panel), EVERY_MS);
  }

  document.addEventListener("DOMContentLoaded", () => {
    const panel = document.getElementById("campaign-panel");
    if (panel) setTimeout(() => refresh(panel), EVERY_MS);
  });
})();
