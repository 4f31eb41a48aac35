// Boxes of a form that suggest rows: once its company is chosen, those of the company.
"use strict";

window.django.jQuery.ajaxPrefilter((options) => {
  const company = document.getElementById("id_company");
  if (!company || !company.value || !options.url.includes("/autocomplete/")) return;
  options.data += `&company__id__exact=${encodeURIComponent(company.value)}`;
});
