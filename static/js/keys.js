// Keys: g and a letter go to a room, j and k walk the rows, x selects, e exports, ? helps. They
// never fire while something is typed, and can be switched off in the menu (WCAG 2.1.4). They fire
// once on a press of their own: never with Ctrl, Alt or the command key.

const TYPED = "input:not([type=checkbox]), textarea, select, [contenteditable], [role=treegrid]";
const PATIENCE = 1500;
const root = document.documentElement;
const sheet = document.getElementById("keys-dialog");
const rooms = new Map();
let wentAt = 0;

for (const [letter, path] of Object.entries(JSON.parse(sheet?.dataset.rooms ?? "{}"))) {
  const link = document.querySelector(`.rooms a[href="${path}"]`);
  if (link && !rooms.has(letter)) rooms.set(letter, link);
}

function rows() {
  return [...document.querySelectorAll("[data-listing] > tbody > tr")];
}

function walk(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement?.closest("tr"));
  const next = all[Math.min(Math.max(at < 0 ? 0 : at + step, 0), all.length - 1)];
  (next.querySelector("th a") ?? next.querySelector("a, input"))?.focus();
  next.scrollIntoView({ block: "nearest" });
}

function pick() {
  document.activeElement?.closest("tr")?.querySelector("[data-pick]")?.click();
}

function openExport() {
  const menu = document.querySelector("details[data-export]");
  if (!menu) return;
  menu.open = true;
  menu.querySelector("a")?.focus();
}

function help() {
  const list = sheet?.querySelector("[data-rooms]");
  if (!sheet || sheet.open) return;
  list.replaceChildren();
  for (const [letter, link] of rooms) {
    const [keys, name] = [document.createElement("dt"), document.createElement("dd")];
    for (const text of ["g", letter]) {
      const key = document.createElement("kbd");
      key.textContent = text;
      keys.append(key, " ");
    }
    name.textContent = link.textContent.trim();
    list.append(keys, name);
  }
  sheet.showModal();
}

const KEYS = {
  j: () => walk(1),
  k: () => walk(-1),
  x: pick,
  e: openExport,
  n: () => document.querySelector("a[data-new]")?.click(),
  "?": help,
};

document.addEventListener("keydown", (event) => {
  if (root.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.defaultPrevented || event.repeat && !"jk".includes(event.key)) return;
  if (event.target.closest(TYPED) || document.querySelector("dialog:modal")) return;
  const isSecond = Date.now() - wentAt < PATIENCE;
  wentAt = 0;
  if (isSecond && rooms.has(event.key)) {
    event.preventDefault();
    rooms.get(event.key).click();
  } else if (event.key === "g") wentAt = Date.now();
  else if (event.key in KEYS) {
    event.preventDefault();
    KEYS[event.key]();
  }
});
