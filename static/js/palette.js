// Finders: a dialog with a field and what the server finds for it. The command palette (Ctrl or
// Cmd and K) and the choice of a scope are both finders. Without this script both are pages.

const PAUSE = 120;

class Finder {
  constructor(dialog) {
    this.dialog = dialog;
    this.input = dialog.querySelector("input");
    this.list = dialog.querySelector("[role=listbox]");
    this.nothing = dialog.querySelector(".nothing");
    this.status = dialog.querySelector("[role=status]");
    this.input.addEventListener("input", () => this.later());
    this.input.addEventListener("keydown", (event) => this.key(event));
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  open() {
    if (this.dialog.open) return;
    for (const other of document.querySelectorAll("dialog.finder[open]")) other.close();
    this.input.value = "";
    this.dialog.showModal();
    this.input.focus();
    this.find();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.find(), PAUSE);
  }

  async find() {
    this.asking?.abort();
    this.asking = new AbortController();
    const url = new URL(this.dialog.dataset.source, location.href);
    url.searchParams.set("q", this.input.value);
    if (this.dialog.dataset.target) url.searchParams.set("for", this.dialog.dataset.target);
    try {
      const headers = { "HX-Request": "true", "HX-Current-URL": location.href };
      const options = { headers, signal: this.asking.signal };
      const answer = await fetch(url, options);
      if (answer.ok) this.show(await answer.text());
      else if (answer.status === 401) this.ended(answer.headers.get("HX-Redirect"));
      else location.assign(url);
    } catch (error) {
      if (error.name !== "AbortError") this.nothing.hidden = false;
    }
  }

  ended(signIn) {
    this.list.replaceChildren();
    this.input.removeAttribute("aria-activedescendant");
    const link = document.createElement("a");
    link.href = signIn;
    link.textContent = this.dialog.dataset.ended;
    this.nothing.replaceChildren(link);
    this.nothing.hidden = false;
    this.status.textContent = this.dialog.dataset.ended;
  }

  show(html) {
    const found = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    this.list.replaceChildren(...found.children);
    this.options.forEach((option, place) => {
      option.id = `${this.list.id}-${place}`;
    });
    this.nothing.hidden = this.options.length > 0;
    this.status.textContent = found.dataset.summary;
    this.select(0);
  }

  select(place) {
    const options = this.options;
    this.input.removeAttribute("aria-activedescendant");
    if (!options.length) return;
    this.at = (place + options.length) % options.length;
    for (const [index, option] of options.entries()) {
      option.setAttribute("aria-selected", String(index === this.at));
    }
    this.input.setAttribute("aria-activedescendant", options[this.at].id);
    options[this.at].scrollIntoView({ block: "nearest" });
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") this.select(this.at + 1);
    else if (event.key === "ArrowUp") this.select(this.at - 1);
    else if (event.key === "Enter") this.options[this.at]?.click();
    else return;
    event.preventDefault();
  }
}

const finders = new Map();
for (const dialog of document.querySelectorAll("dialog.finder")) {
  finders.set(dialog.id, new Finder(dialog));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-opens]");
  const finder = link && finders.get(link.dataset.opens);
  if (!finder || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  finder.open();
});

document.addEventListener("keydown", (event) => {
  const palette = finders.get("palette-dialog");
  if (!palette || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  if (event.key.toLowerCase() !== "k") return;
  event.preventDefault();
  palette.open();
});
