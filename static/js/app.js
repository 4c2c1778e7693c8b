// Behaviours that make the pages nicer; every page works without them.
// No inline handlers, no eval: the content security policy stays strict.

// Appearance, height of rows, keys: choose at once, then let the server remember it.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-theme-form]");
  if (!form || !event.submitter) return;
  event.preventDefault();
  const { name, value } = event.submitter;
  if (value === "system") delete document.documentElement.dataset[name];
  else document.documentElement.dataset[name] = value;
  for (const button of form.querySelectorAll(`button[name="${name}"]`)) {
    button.setAttribute("aria-pressed", String(button === event.submitter));
  }
  fetch(form.action, { method: "POST", body: new FormData(form, event.submitter) });
});

// Menus: close on Escape, giving the focus back, and on a click elsewhere.
const openMenus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// Rooms: on a narrow screen they are a row to be pushed; the current one begins in sight.
const room = document.querySelector(".rooms [aria-current]");
const row = room?.closest(".rooms");
if (row && row.scrollWidth > row.clientWidth) {
  row.scrollLeft = room.offsetLeft - (row.clientWidth - room.offsetWidth) / 2;
}

// Tabs: the same.
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const tabs = tab.closest(".tabs");
  tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
}

// Heads of tables stay in sight: whether a table fits, and how high the bar above it is, is measured.
const bar = document.querySelector(".top");
const measured = new ResizeObserver((entries) => {
  const isAbove = bar && getComputedStyle(bar).position === "sticky";
  document.documentElement.style.setProperty("--bar", `${isAbove ? bar.offsetHeight : 0}px`);
  for (const box of new Set(entries.map(({ target }) => target.closest(".table-scroll")))) {
    if (!box) continue;
    const isWide = box.scrollWidth > box.clientWidth;
    box.classList.toggle("wide", isWide);
    box.classList.toggle("fits", !isWide);
  }
});
const observed = new WeakSet();

function measure() {
  for (const one of document.querySelectorAll(".table-scroll, .table-scroll > table")) {
    if (!observed.has(one)) measured.observe(one);
    observed.add(one);
  }
}

measure();
document.addEventListener("htmx:load", measure);

// Sorting loads the page anew: the focus stays on the head that was used.
const SORTED = "sorted";
document.addEventListener("click", ({ target }) => {
  const link = target.closest("a.sort");
  if (link) sessionStorage.setItem(SORTED, `${location.pathname} ${link.dataset.sort}`);
});
const [sortedPage, sortedHead] = (sessionStorage.getItem(SORTED) ?? "").split(" ");
sessionStorage.removeItem(SORTED);
if (sortedPage === location.pathname) {
  document.querySelector(`a.sort[data-sort="${sortedHead}"]`)?.focus({ preventScroll: true });
}

// Search: "/" goes to the page's search field, unless something is being typed.
document.addEventListener("keydown", (event) => {
  if (document.documentElement.dataset.keys === "off") return;
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const field = document.querySelector("[data-page-search]");
  if (!field) return;
  event.preventDefault();
  field.focus();
});

// Why: the first click fetches the explanation (htmx), later ones hide and show it.
document.addEventListener(
  "click",
  (event) => {
    const link = event.target.closest("a[data-why]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const row = link.closest("tr").nextElementSibling;
    if (!row?.classList.contains("why-row")) return;
    event.preventDefault();
    event.stopPropagation();
    row.hidden = !row.hidden;
    link.setAttribute("aria-expanded", String(!row.hidden));
  },
  { capture: true },
);

document.addEventListener("htmx:afterSwap", (event) => {
  const link = event.detail.requestConfig?.elt;
  if (link?.matches("a[data-why]")) link.setAttribute("aria-expanded", "true");
});
