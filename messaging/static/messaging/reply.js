// Counts the SMS segments of a text while it is typed, as messaging/sms_segments.py does, inserts snippets, and
// sends a form once.
"use strict";

(() => {
  function units(text, rules) {
    const basic = new Set(rules.gsm7);
    const extended = new Set(rules.gsm7Extension);
    const characters = [...text];
    const isGsm7 = characters.every((each) => basic.has(each) || extended.has(each));
    const widths = characters.map((each) => (isGsm7 ? (extended.has(each) ? 2 : 1) : each.length));
    const [single, several] = (isGsm7 ? rules.gsm7Segment : rules.ucs2Segment).split(",").map(Number);
    return { widths, single, several, strange: isGsm7 ? "" : characters.find((each) => !basic.has(each) && !extended.has(each)) };
  }

  function countSegments(text, rules) {
    const { widths, single, several } = units(text, rules);
    if (widths.reduce((sum, width) => sum + width, 0) <= single) return 1;
    let segments = 1;
    let used = 0;
    for (const width of widths) {
      if (used + width > several) {
        segments += 1;
        used = 0;
      }
      used += width;
    }
    return segments;
  }

  function describe(text, rules) {
    if (!text) return "";
    const segments = countSegments(text, rules);
    const { strange } = units(text, rules);
    const reason = strange ? `. “${strange}” makes its segments shorter` : "";
    return `${[...text].length} characters, ${segments} SMS segment${segments === 1 ? "" : "s"}${reason}.`;
  }

  document.addEventListener("DOMContentLoaded", () => {
    const thread = document.querySelector(".thread");
    if (thread) thread.scrollTop = thread.scrollHeight;
    for (const form of document.querySelectorAll(".reply-form")) {
      const field = form.querySelector("textarea");
      const count = form.querySelector("#reply-count");
      if (!field || !count) continue;
      const hint = count.textContent;
      const show = () => {
        count.textContent = describe(field.value, field.dataset) || hint;
      };
      field.addEventListener("input", show);
      form.querySelector("[name=_insert]")?.addEventListener("click", (event) => {
        event.preventDefault(); // without this script the server puts the snippet behind the text
        const chosen = form.querySelector("#id_snippet").selectedOptions[0];
        if (chosen?.dataset.text) field.setRangeText(chosen.dataset.text, field.selectionStart, field.selectionEnd, "end");
        field.focus();
        show();
      });
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
      });
      form.addEventListener("submit", (event) => {
        if (form.dataset.isSent) event.preventDefault();
        form.dataset.isSent = "yes";
      });
      show();
    }
  });
})();
