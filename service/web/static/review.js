// The review queue from the keyboard: j k move, c confirms, d asks for the reason, u undoes, o opens the posting.
// Everything here is also a button or a link: the page works without this file.
"use strict";

const items = [...document.querySelectorAll("[data-item]")];
let at = -1;

function move(step) {
  if (!items.length) return;
  at = Math.min(Math.max(at + step, 0), items.length - 1);
  items[at].focus({ preventScroll: true });
  items[at].scrollIntoView({ block: "center" });
}

function press(selector, where) {
  const found = where && where.querySelector(selector);
  if (found) found.click();
}

const actions = {
  j: () => move(1),
  k: () => move(-1),
  c: () => press("[data-confirm]", items[at]),
  o: () => press("[data-open]", items[at]),
  u: () => press("[data-undo]", document),
  d: () => {
    const reason = items[at] && items[at].querySelector("[data-why]");
    if (reason) reason.focus();
  },
};

document.addEventListener("focusin", (event) => {
  const item = event.target.closest("[data-item]");
  if (item) at = items.indexOf(item);
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select");
  if (typing && event.key === "Escape") items[at]?.focus();
  // Enter in the reason dismisses: the first button of the form would confirm.
  if (event.target.matches("[data-why]") && event.key === "Enter") {
    event.preventDefault();
    event.target.parentElement.querySelector("button").click();
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const action = actions[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});
