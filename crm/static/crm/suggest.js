// Boxes of filters that suggest rows, found by Django's suggestions for forms. Each suggestion is a link to the list.
"use strict";

(() => {
  const WAIT_MS = 200; // while somebody types

  for (const box of document.querySelectorAll(".filter-suggest")) {
    const [input, found, note] = ["input", "ul", "p"].map((tag) => box.querySelector(tag));
    let timer = null;
    let asked = "";
    box.hidden = false;

    const show = (rows, more) => {
      found.replaceChildren(
        ...rows.map((row) => {
          const link = document.createElement("a");
          link.href = box.dataset.link + encodeURIComponent(row.id);
          link.textContent = row.text;
          const item = document.createElement("li");
          item.append(link);
          return item;
        }),
      );
      note.textContent = rows.length ? (more ? "More exist: type more of it." : "") : "Nothing found.";
    };

    const ask = async () => {
      const term = input.value.trim();
      if (term === asked) return;
      asked = term;
      if (!term) {
        found.replaceChildren();
        note.textContent = "";
        return;
      }
      try {
        const response = await fetch(`${box.dataset.suggest}&term=${encodeURIComponent(term)}`);
        if (!response.ok) throw new Error(response.status);
        const answer = await response.json();
        if (term === asked) show(answer.results, answer.pagination.more); // else an answer to an earlier text
      } catch {
        note.textContent = "The suggestions can't be loaded. Try again.";
        asked = "";
      }
    };

    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, WAIT_MS);
    });
    box.addEventListener("keydown", (event) => {
      const links = [...found.querySelectorAll("a")];
      if (event.key === "Enter" && event.target === input) {
        event.preventDefault();
        if (links.length === 1) links[0].click();
        else ask();
      } else if (["ArrowDown", "ArrowUp"].includes(event.key) && links.length) {
        event.preventDefault();
        const next = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
        (links[next] || input).focus();
      } else if (event.key === "Escape") {
        input.value = "";
        ask();
        input.focus();
      }
    });
  }
})();
