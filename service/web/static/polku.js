// Small comforts. Every page works without them.
"use strict";

// Whoever types for longer than a login lasts without a request is not away: now and then it is told.
{
  const every = 5 * 60 * 1000;
  let told = Date.now();
  document.addEventListener("input", () => {
    if (Date.now() - told < every) return;
    told = Date.now();
    fetch("/v1/me", { headers: { Accept: "application/json" } }).catch(() => {});
  });
}
