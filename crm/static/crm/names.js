// Names of the boxes that Django's script makes of fields with suggestions: it gives them none. Rows that are scrolled
// sideways on a phone are reached by key.
"use strict";

(() => {
  const name = (select) => {
    const label = select.labels && select.labels[0];
    const text = select.getAttribute("aria-label") || (label && label.textContent.trim().replace(/:$/, ""));
    const box = select.parentElement.querySelector(".select2-selection");
    if (!text || !box) return;
    const shown = box.querySelector(".select2-selection__rendered");
    const chosen = select.multiple ? "" : shown.textContent.replace("×", "").trim();
    box.removeAttribute("aria-labelledby");
    box.setAttribute("aria-label", chosen ? `${text}: ${chosen}` : text);
    for (const search of box.querySelectorAll("input, textarea")) search.setAttribute("aria-label", text);
    shown.removeAttribute("aria-readonly"); // only a text box may be read-only
    shown.removeAttribute("role");
  };
  const nameAll = () => document.querySelectorAll("select.select2-hidden-accessible").forEach(name);

  window.addEventListener("load", () => {
    nameAll();
    for (const rows of document.querySelectorAll(".inline-group")) rows.tabIndex = 0;
    for (const icon of document.querySelectorAll(".search-label-icon")) icon.setAttribute("role", "img");
    if (!window.django || !window.django.jQuery) return;
    const $ = window.django.jQuery;
    $(nameAll); // after Django's own, which jQuery may call later than the load
    $(document).on("change", "select.select2-hidden-accessible", (event) => name(event.target));
    $(document).on("select2:open", (event) => {
      const label = event.target.labels && event.target.labels[0];
      const box = document.querySelector(".select2-container--open .select2-search__field");
      if (box && label) box.setAttribute("aria-label", `Find ${label.textContent.trim().replace(/:$/, "")}`);
    });
    document.addEventListener("formset:added", nameAll);
  });
})();
