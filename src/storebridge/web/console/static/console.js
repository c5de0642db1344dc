"use strict";
// The first page, live: the server sends the inner part of the page whenever it changed.
(() => {
  const box = document.getElementById("live");
  const state = document.querySelector("[data-live-state]");
  if (!box || !state || !("EventSource" in window)) return;
  const say = (words, tone) => {
    if (state.textContent !== words) state.textContent = words;
    state.dataset.tone = tone;
  };
  const replace = (html) => {
    const focused = box.contains(document.activeElement) ? document.activeElement.id : "";
    const parsed = new DOMParser().parseFromString(html, "text/html");
    box.replaceChildren(...parsed.body.childNodes);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };
  const source = new EventSource(box.dataset.live);
  source.addEventListener("open", () => say("Live", "good"));
  source.addEventListener("overview", (event) => {
    say("Live", "good");
    // Do not pull text away from under somebody who is selecting it.
    const selection = document.getSelection();
    if (selection && !selection.isCollapsed && box.contains(selection.anchorNode)) return;
    replace(JSON.parse(event.data));
  });
  source.addEventListener("trouble", (event) => say(JSON.parse(event.data), "bad"));
  source.addEventListener("error", () => say("Connection lost; trying again…", "bad"));
})();
