// The search box of the admin: Ctrl-K (Cmd-K) goes there from any place, Escape goes back.
"use strict";

(() => {
  const box = document.getElementById("site-search-box");
  if (!box) return; // a pop-up or the sign-in page
  let before = null;

  document.addEventListener("keydown", (event) => {
    const isShortcut = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (isShortcut && event.key.toLowerCase() === "k") {
      event.preventDefault(); // some browsers have a search of their own here
      if (document.activeElement !== box) before = document.activeElement;
      box.focus();
      box.select();
    } else if (event.key === "Escape" && document.activeElement === box) {
      box.blur();
      if (before) before.focus();
    }
  });

  box.form.addEventListener("submit", (event) => {
    if (!box.value.trim()) event.preventDefault();
  });
})();
