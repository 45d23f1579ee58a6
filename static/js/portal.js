// What pages do beyond links and forms. Every page works without it, only less comfortably.
"use strict";

// --- Times: in the viewer's zone, and kept up to date -------------------------------------------------
const { zone: zoneSetting, shownZone } = document.documentElement.dataset;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const localZone = zoneSetting === "local";
// This cookie tells the server the viewer's zone, for times in pages and for days in filters.
if (localZone) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;
}
// The server wrote times in another zone on the first page, or after the viewer travelled: rewrite.
const rewrites = localZone && shownZone !== zone;
const PARTS = {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  timeZoneName: "short",
};
const toMinute = new Intl.DateTimeFormat("en-GB", PARTS);
const toSecond = new Intl.DateTimeFormat("en-GB", { ...PARTS, second: "2-digit" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

// The same words as relative_words in subscriptions/templatetags/portal.py.
function relative(date) {
  const seconds = Math.trunc((date.getTime() - Date.now()) / 1000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) || UNITS[3];
  const count = Math.trunc(Math.abs(seconds) / size);
  if (count === 0) return "now";
  const words = `${count} ${unit}${count === 1 ? "" : "s"}`;
  return seconds < 0 ? `${words} ago` : `in ${words}`;
}

function showTime(element) {
  const date = new Date(element.dateTime);
  const words = element.querySelector(".t-rel");
  if (words) {
    const text = relative(date);
    if (words.textContent !== text) words.textContent = text;
  }
  const text = element.querySelector(".t-abs");
  if (text && rewrites && !element.dataset.shown) {
    text.textContent = (text.dataset.to === "minute" ? toMinute : toSecond).format(date);
    element.dataset.shown = "1";
  }
}

function showTimes() {
  if (!document.hidden) document.querySelectorAll("time[data-live]").forEach(showTime);
}
showTimes();
setInterval(showTimes, 1000);
document.addEventListener("htmx:afterSettle", showTimes);

// --- Copy -----------------------------------------------------------------------------------------
async function copy(button) {
  const source = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
  const text = source ? source.textContent : button.dataset.copy;
  const word = button.querySelector(".copy-word");
  let done = "Copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = "Not copied: select the text and copy it yourself";
  }
  announce(done);
  if (word) {
    word.dataset.before ||= word.textContent;
    word.textContent = done;
  }
  button.classList.add("copied");
  setTimeout(() => {
    button.classList.remove("copied");
    if (word) word.textContent = word.dataset.before;
  }, 2000);
}

function announce(text) {
  const region = document.getElementById("announcer");
  if (region) region.textContent = text;
}

// --- Dialogs: content for #dialog-body opens its dialog; [data-dialog] names one to open -------------
const dialog = document.getElementById("dialog");
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "dialog-body" && !dialog.open) dialog.showModal();
});

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-copy], [data-copy-from], [data-dialog], [data-close], [data-dismiss]");
  if (target?.matches("[data-copy], [data-copy-from]")) copy(target);
  if (target?.dataset.dialog) {
    document.getElementById(target.dataset.dialog).showModal();
    event.preventDefault();
  }
  if (target?.matches("[data-close]") && target.closest("dialog")) {
    target.closest("dialog").close();
    event.preventDefault();
  }
  if (target?.matches("[data-dismiss]")) target.closest(".note").remove();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target) || event.target.closest(".menu-box a, .menu-box button")) {
      menu.open = false;
    }
  }
});

// --- Filters that apply as they change: <form data-auto-submit> --------------------------------------
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.matches("[data-auto-submit]")) form.requestSubmit();
  const all = event.target.closest("[data-check-all]");
  if (all) {
    for (const box of document.querySelectorAll(`input[name="${all.dataset.checkAll}"]`)) {
      box.checked = all.checked;
    }
  }
  showSelection();
});

// The actions for chosen rows: an element with data-selection="FIELD", and [data-count] in it.
function showSelection() {
  for (const bar of document.querySelectorAll("[data-selection]")) {
    const count = document.querySelectorAll(`input[name="${bar.dataset.selection}"]:checked`).length;
    bar.hidden = count === 0;
    const words = bar.querySelector("[data-count]");
    if (words) words.textContent = `${count} selected`;
  }
}
showSelection();
document.addEventListener("htmx:afterSettle", showSelection);

// --- Keys: j k Enter r / ? ------------------------------------------------------------------------------
const keysSwitch = document.getElementById("keys-on");
if (keysSwitch) {
  keysSwitch.checked = localStorage.getItem("keys") !== "off";
  keysSwitch.addEventListener("change", () => {
    localStorage.setItem("keys", keysSwitch.checked ? "on" : "off");
  });
}

function moveRow(step) {
  const links = [...document.querySelectorAll("[data-row-link]")];
  const here = links.findIndex((link) => link.closest("[data-row]").contains(document.activeElement));
  const next = links[here < 0 ? 0 : here + step];
  next?.focus();
  next?.closest("[data-row]").scrollIntoView({ block: "nearest" });
}

const KEYS = {
  j: () => moveRow(1),
  k: () => moveRow(-1),
  r: () => document.activeElement.closest("[data-row]")?.querySelector('[data-key="r"]')?.click(),
  "/": () => document.querySelector("[data-search]")?.focus(),
  "?": () => document.getElementById("keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog[open]");
  // A dialog that has just closed keeps the focus on its field, then hidden, for one more frame.
  if (typing?.checkVisibility() || event.ctrlKey || event.metaKey || event.altKey || !keysSwitch?.checked) return;
  const action = KEYS[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});

// --- htmx: a bar while it loads, a note when it fails, no polling in a hidden tab --------------------
const bar = document.getElementById("loading");
let requests = 0;
function loading(step) {
  requests = Math.max(0, requests + step);
  bar?.classList.toggle("on", requests > 0);
}
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.hasAttribute("data-poll")) {
    if (document.hidden) event.preventDefault();
    return;
  }
  loading(1);
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.elt.hasAttribute("data-poll")) loading(-1);
});

// canRetry: reloading the page repeats the request.
function showFailure(text, canRetry) {
  const template = document.getElementById("failure");
  const place = document.getElementById("messages");
  if (!template || !place) return;
  const note = template.content.cloneNode(true);
  note.querySelector("p").textContent = text;
  const retry = note.querySelector("[data-retry]");
  if (canRetry) retry.href = location.href;
  else retry.remove();
  place.replaceChildren(note);
  place.scrollIntoView({ block: "nearest" });
}
// Polling repeats by itself, so its failure is shown once, until it works again.
function pollFailed(words) {
  if (!document.querySelector("[data-stale]")) showFailure(`What you see may be out of date: ${words} It is asked again.`, true);
  document.querySelector("#messages .note")?.setAttribute("data-stale", "");
}
document.addEventListener("htmx:responseError", (event) => {
  const { elt, xhr, requestConfig } = event.detail;
  if (elt.hasAttribute("data-poll")) return pollFailed(`the server answered ${xhr.status}.`);
  const reads = requestConfig.verb === "get";
  showFailure(`The server answered ${xhr.status}, and nothing was changed.${reads ? "" : " Try again, or reload the page."}`, reads);
});
document.addEventListener("htmx:sendError", (event) => {
  const { elt, requestConfig } = event.detail;
  if (elt.hasAttribute("data-poll")) return pollFailed("the server could not be reached.");
  showFailure("The server could not be reached. Check your connection and try again.", requestConfig.verb === "get");
});
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful } = event.detail;
  if (successful && elt.hasAttribute("data-poll")) document.querySelector("[data-stale]")?.remove();
});
