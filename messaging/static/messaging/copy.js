// Copies the field that a button names. Where the browser allows no clipboard, the text is selected for Ctrl-C.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copies]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copies);
  field.select();
  const isCopied = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
  button.textContent = isCopied ? "Copied" : "Press Ctrl-C";
});
