// The live tail pauses while rows are chosen or text is selected in it: a swap would lose both.
"use strict";

document.addEventListener("htmx:beforeRequest", (event) => {
  const tail = event.detail.elt;
  if (!tail.matches("[data-tail]")) return;
  const chosen = tail.querySelector(`input[name="${tail.dataset.tail}"]:checked`);
  const selection = getSelection();
  if (chosen || (!selection.isCollapsed && tail.contains(selection.anchorNode))) event.preventDefault();
});
