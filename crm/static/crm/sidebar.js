// Until somebody opens Django's sidebar, it is closed where a list needs its width. Runs before Django's own script.
"use strict";

(() => {
  const KEY = "django.admin.navSidebarIsOpen";
  const NARROW = 1500;
  try {
    if (localStorage.getItem(KEY) === null && window.innerWidth < NARROW) localStorage.setItem(KEY, "false");
  } catch {
    // a browser that stores nothing shows the sidebar
  }
})();
