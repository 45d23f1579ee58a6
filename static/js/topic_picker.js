// The topic picker of the webhook form: search, groups, use cases as presets, samples on hover.
"use strict";

function setUp(picker) {
  const boxes = [...picker.querySelectorAll('input[name="topics"]')];
  const groups = [...picker.querySelectorAll("[data-topic-group]")];
  const presets = [...picker.querySelectorAll("[data-topics]")];
  const namesOf = (preset) => preset.dataset.topics.trim().split(" ");

  function show() {
    for (const group of groups) {
      const own = [...group.querySelectorAll('input[name="topics"]')];
      const checked = own.filter((box) => box.checked).length;
      const all = group.querySelector("[data-group-box]");
      all.checked = checked === own.length;
      all.indeterminate = checked > 0 && checked < own.length;
      group.querySelector("[data-group-count]").textContent = `${checked} of ${own.length}`;
    }
    const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
    picker.querySelector("[data-chosen-count]").textContent = `${chosen.length} of ${boxes.length} so far.`;
    for (const preset of presets) {
      const names = namesOf(preset);
      const same = names.length === chosen.length && names.every((name) => chosen.includes(name));
      preset.setAttribute("aria-pressed", String(same));
    }
  }

  function choose(isWanted) {
    for (const box of boxes) box.checked = isWanted(box);
    picker.querySelector('[name="which"][value="chosen"]').checked = true;
    show();
  }

  picker.addEventListener("change", (event) => {
    if (event.target.matches("[data-group-box]")) {
      const group = event.target.closest("[data-topic-group]");
      for (const box of group.querySelectorAll('.topic:not([hidden]) input[name="topics"]')) {
        box.checked = event.target.checked;
      }
    }
    if (event.target.matches('[data-group-box], [name="topics"]')) {
      picker.querySelector('[name="which"][value="chosen"]').checked = true;
    }
    show();
  });

  picker.addEventListener("click", (event) => {
    const preset = event.target.closest("[data-topics]");
    if (preset) {
      event.preventDefault();
      const names = namesOf(preset);
      choose((box) => names.includes(box.value));
    }
    const button = event.target.closest("[data-choose]");
    if (button) choose(() => button.dataset.choose === "all");
  });

  const search = picker.querySelector("[data-topic-search]");
  search.addEventListener("input", () => {
    const words = search.value.trim().toLowerCase();
    for (const topic of picker.querySelectorAll("[data-topic]")) {
      topic.hidden = !topic.dataset.topic.includes(words);
    }
    for (const group of groups) group.hidden = !group.querySelector(".topic:not([hidden])");
    picker.querySelector("[data-no-topic]").hidden = groups.some((group) => !group.hidden);
  });
  // Enter in the search must not submit the form.
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });

  // A sample also opens on hover. It closes when the pointer or the focus leaves its row.
  for (const topic of picker.querySelectorAll(".topic")) {
    const sample = topic.querySelector(".sample");
    let openedByHover = false;
    sample.addEventListener("pointerenter", (event) => {
      openedByHover = event.pointerType === "mouse" && !sample.open;
      if (openedByHover) sample.open = true;
    });
    // A click must not close what the pointer opened by entering.
    sample.querySelector("summary").addEventListener("click", (event) => {
      if (openedByHover) event.preventDefault();
      openedByHover = false;
    });
    topic.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") sample.open = false;
    });
    topic.addEventListener("focusout", (event) => {
      if (!topic.contains(event.relatedTarget)) sample.open = false;
    });
    topic.addEventListener("keydown", (event) => {
      if (event.key === "Escape") sample.open = false;
    });
  }
  show();
}

function setUpAll(root) {
  for (const picker of root.querySelectorAll("[data-topic-picker]:not([data-ready])")) {
    picker.dataset.ready = "";
    setUp(picker);
  }
}
setUpAll(document);
document.addEventListener("htmx:afterSettle", () => setUpAll(document));
