// Dialogs and the drawer. A dialog is fetched from the page that its opener leads to; the drawer
// shows a part of a page that htmx has brought. Both give the focus back when they close. Without
// this script the openers are plain links and buttons.

const WIDE = matchMedia("(min-width: 64rem)");

// -- dialogs ------------------------------------------------------------------------------------

function goTo(url) {
  location.assign(url);
}

async function openFrom(url, body = undefined, otherwise = goTo) {
  const asked = { method: body ? "POST" : "GET", body, headers: { "HX-Request": "true" } };
  const answer = await fetch(url, asked).catch(() => null);
  const page = answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  // Anything else than a dialog alone is a page: a redirection, or something to sign in to.
  const dialog = page?.querySelector("body > dialog:only-child");
  if (!dialog) {
    otherwise(url);
    return;
  }
  document.body.append(dialog);
  document.dispatchEvent(new CustomEvent("dialog:added", { detail: dialog }));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}

function isPlain(event) {
  return !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button);
}

document.addEventListener("click", (event) => {
  if (event.target.matches("dialog.dialog")) event.target.close(); // beside it
  const link = event.target.closest("a[data-dialog]");
  if (link && isPlain(event)) {
    event.preventDefault();
    openFrom(link.href);
  }
  const local = event.target.closest("button[data-shows]");
  if (local) document.getElementById(local.dataset.shows)?.showModal();
});

// Other behaviours ask by an event: a file of ours is never imported by its plain name.
document.addEventListener("dialog:ask", (event) => openFrom(event.detail));

document.addEventListener("submit", (event) => {
  if (!event.submitter?.matches("[data-dialog]")) return;
  event.preventDefault();
  const url = new URL(event.submitter.getAttribute("formaction") ?? event.target.action, location);
  const asked = new URLSearchParams(new FormData(event.target, event.submitter));
  if (event.target.method !== "post") {
    url.search = asked;
    openFrom(url);
    return;
  }
  openFrom(url, asked, () => {
    event.target.action = url;
    event.target.submit();
  });
});

// -- the drawer ---------------------------------------------------------------------------------

const drawer = document.getElementById("side");
let opener = null;

function mark(row) {
  for (const other of document.querySelectorAll("tr.peeked")) other.classList.remove("peeked");
  row?.classList.add("peeked");
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (!drawer || event.detail.target.id !== "drawer") return;
  opener = event.detail.requestConfig?.elt ?? null;
  drawer.querySelector("h2").textContent = event.detail.target.firstElementChild.dataset.title;
  mark(opener?.closest("tr"));
  if (drawer.open) return;
  if (WIDE.matches) drawer.show();
  else drawer.showModal();
});

drawer?.addEventListener("close", () => {
  mark(null);
  opener?.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !drawer?.open || event.defaultPrevented) return;
  if (document.querySelector("dialog:modal, details.menu[open]")) return;
  drawer.close();
});

// -- toasts -------------------------------------------------------------------------------------

const toasts = document.getElementById("toasts");

export function toast(text, tone = "") {
  if (!toasts) return;
  const note = document.createElement("p");
  note.className = `toast ${tone}`;
  note.textContent = text;
  toasts.append(note);
  setTimeout(() => note.remove(), 10_000);
}

document.addEventListener("htmx:responseError", (event) => {
  const isGone = event.detail.xhr.status === 404;
  toast(isGone ? toasts?.dataset.gone : toasts?.dataset.failed, "bad");
});
document.addEventListener("htmx:sendError", () => toast(toasts?.dataset.failed, "bad"));
