// What is left is asked for every second while somebody looks. Without this script the pages work the same, only not by themselves.
"use strict";
const watched = new Map();
for (const place of document.querySelectorAll("[data-live]")) {
  const name = place.dataset.live;
  watched.set(name, [...(watched.get(name) || []), place]);
}
async function look() {
  if (!document.hidden && watched.size) {
    const asked = new URLSearchParams([...watched.keys()].map((name) => ["of", name]));
    try {
      const told = await (await fetch("/live?" + asked)).json();
      for (const [name, [words, state]] of Object.entries(told)) {
        for (const place of watched.get(name) || []) show(place, words, state);
      }
    } catch { /* The store is away: what is shown stays, and the next look asks again. */ }
  }
  setTimeout(look, 1000);
}
function show(place, words, state) {
  if (place.textContent.trim() === words) return;
  place.textContent = words;
  place.dataset.state = state;
  place.classList.remove("changed");
  void place.offsetWidth;
  place.classList.add("changed");
}
setTimeout(look, 1000);
