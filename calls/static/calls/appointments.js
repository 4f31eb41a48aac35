// Moves an appointment that is dragged to another cell of the calendar, by sending the form that the Move page has.
"use strict";

(() => {
  document.addEventListener("DOMContentLoaded", () => {
    const form = document.getElementById("move-form");
    if (!form) return;
    let dragged = null;

    function cellAt(event) {
      return dragged && event.target.closest?.("td[data-day]");
    }

    function mark(cell) {
      for (const each of document.querySelectorAll("td.drop")) if (each !== cell) each.classList.remove("drop");
      cell?.classList.add("drop");
    }

    document.addEventListener("dragstart", (event) => {
      dragged = event.target.closest?.(".slot[data-appointment]") ?? null;
      if (!dragged) return;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", dragged.dataset.appointment); // Firefox drags nothing without it
    });
    document.addEventListener("dragover", (event) => {
      const cell = cellAt(event);
      if (cell) event.preventDefault();
      mark(cell);
    });
    document.addEventListener("dragend", () => {
      mark(null);
      dragged = null;
    });
    document.addEventListener("drop", (event) => {
      const cell = cellAt(event);
      if (!cell) return;
      event.preventDefault();
      if (cell === dragged.closest("td")) return;
      const { appointment, time, seen } = dragged.dataset;
      const fields = { day: cell.dataset.day, time: cell.dataset.time ?? time, rep: cell.dataset.rep, seen };
      for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
      form.action = form.dataset.url.replace("/0/", `/${appointment}/`);
      form.requestSubmit();
    });
  });
})();
