// Comboboxes: a field for one account out of a tree that may have thousands. The server searches;
// the keys follow the ARIA pattern (arrows, Enter, Escape). Without this script it is a text field
// for an id.

const PAUSE = 150;
const MOST_RECENT = 5;
const MEMORY = `recent-accounts:${document.body.dataset.owner ?? ""}`;

function recent() {
  try {
    return JSON.parse(sessionStorage.getItem(MEMORY)) ?? [];
  } catch {
    return [];
  }
}

function remember(hit) {
  const others = recent().filter((one) => one.value !== hit.value);
  sessionStorage.setItem(MEMORY, JSON.stringify([hit, ...others].slice(0, MOST_RECENT)));
}

class Combobox {
  constructor(box) {
    this.box = box;
    this.list = box.querySelector("[role=listbox]");
    this.status = box.querySelector("[role=status]");
    this.value = box.querySelector("input");
    this.input = this.value.cloneNode();
    this.input.removeAttribute("name");
    this.value.type = "hidden";
    this.value.removeAttribute("id");
    // What was written by hand stays to be seen until something is chosen.
    this.name = this.value.dataset.shown || this.value.value;
    this.input.value = this.name;
    for (const [name, text] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this.list.id,
    })) {
      this.input.setAttribute(name, text);
    }
    this.value.after(this.input);
    box.querySelector("[data-without-script]").hidden = true;
    box.querySelector("[data-with-script]").hidden = false;
    this.input.addEventListener("focus", () => this.later(0));
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("change", (event) => event.stopPropagation());
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.click(event));
    this.input.addEventListener("blur", () => this.leave());
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  get isOpen() {
    return !this.list.hidden;
  }

  typed() {
    if (!this.input.value.trim()) this.choose({ value: "", text: "" }, { isOpen: true });
    this.later(PAUSE);
  }

  later(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.find(), pause);
  }

  async find() {
    this.asking?.abort();
    this.asking = new AbortController();
    const text = this.input.value === this.name ? "" : this.input.value;
    const url = new URL(this.box.dataset.source, location.href);
    url.searchParams.set("q", text);
    const headers = { "HX-Request": "true", "HX-Current-URL": location.href };
    const answer = await fetch(url, { headers, signal: this.asking.signal }).catch(() => null);
    if (!answer || document.activeElement !== this.input) return;
    if (answer.ok) this.show(await answer.text(), text);
    else if (answer.status === 401) this.ended(answer.headers.get("HX-Redirect"));
  }

  // Nothing can be found any more. What the form holds goes along and comes back.
  ended(signIn) {
    const url = new URL(signIn, location.href);
    const held = new URLSearchParams(new FormData(this.box.closest("form")));
    held.delete("csrfmiddlewaretoken");
    url.searchParams.set("next", `${location.pathname}?${held}`);
    const link = asOption({ text: this.box.dataset.ended });
    link.href = url;
    link.id = `${this.list.id}-ended`;
    this.list.replaceChildren(link);
    this.status.textContent = this.box.dataset.ended;
    this.toggle(true);
    this.select(0);
  }

  show(html, text) {
    const found = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    for (const option of found.querySelectorAll("[role=option]:not([data-value])")) option.remove();
    this.list.replaceChildren(...(text ? [] : this.remembered()), ...found.children);
    if (!this.options.length) {
      const nothing = document.createElement("p");
      nothing.className = "group-title";
      nothing.textContent = this.box.dataset.none;
      this.list.replaceChildren(nothing);
    }
    this.options.forEach((option, place) => {
      option.id = `${this.list.id}-${place}`;
    });
    this.status.textContent = found.dataset.summary;
    this.toggle(true);
    this.select(text ? 0 : -1);
  }

  remembered() {
    const hits = recent();
    if (!hits.length) return [];
    const group = document.createElement("div");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", this.box.dataset.recent);
    const title = document.createElement("p");
    title.className = "group-title";
    title.setAttribute("aria-hidden", "true");
    title.textContent = this.box.dataset.recent;
    group.append(title, ...hits.map(asOption));
    return [group];
  }

  toggle(isOpen) {
    this.list.hidden = !isOpen;
    this.input.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) this.input.removeAttribute("aria-activedescendant");
  }

  select(place) {
    const options = this.options;
    this.at = options.length && place >= -1 ? Math.min(place, options.length - 1) : -1;
    for (const [index, option] of options.entries()) {
      option.setAttribute("aria-selected", String(index === this.at));
    }
    this.input.removeAttribute("aria-activedescendant");
    if (this.at < 0) return;
    this.input.setAttribute("aria-activedescendant", options[this.at].id);
    options[this.at].scrollIntoView({ block: "nearest" });
  }

  choose(hit, { isOpen = false } = {}) {
    const isNew = this.value.value !== hit.value;
    this.value.value = hit.value;
    this.name = hit.text;
    if (!isOpen) {
      this.input.value = hit.text;
      this.toggle(false);
    }
    if (hit.value) remember(hit);
    if (isNew) this.value.dispatchEvent(new Event("change", { bubbles: true }));
  }

  click(event) {
    const option = event.target.closest("[role=option]");
    if (!option || leadsAway(option)) return;
    event.preventDefault();
    this.choose(asHit(option));
  }

  key(event) {
    if (event.isComposing) return;
    const last = this.options.length - 1;
    if (event.key === "ArrowDown") {
      if (this.isOpen) this.select(this.at >= last ? 0 : this.at + 1);
      else this.later(0);
    } else if (event.key === "ArrowUp") this.select(this.at <= 0 ? last : this.at - 1);
    else if (event.key === "Enter" && this.isOpen && this.at >= 0) {
      const option = this.options[this.at];
      if (leadsAway(option)) option.click();
      else this.choose(asHit(option));
    } else if (event.key === "Escape" && this.isOpen) {
      event.stopPropagation();
      this.toggle(false);
    } else return;
    event.preventDefault();
  }

  // What was typed and not chosen counts for nothing: the field says again what holds.
  leave() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.toggle(false);
    if (this.input.value !== this.name) this.input.value = this.name;
  }
}

function asHit(option) {
  const second = option.querySelector(".second");
  const text = option.querySelector(".what").firstChild.textContent.trim();
  return { value: option.dataset.value, text, second: second?.textContent ?? "" };
}

// What has no value is no account but the way to the sign-in.
function leadsAway(option) {
  return option.dataset.value === undefined;
}

function asOption(hit) {
  const [option, what] = [document.createElement("a"), document.createElement("span")];
  option.setAttribute("role", "option");
  if (hit.value !== undefined) option.dataset.value = hit.value;
  what.className = "what";
  what.append(hit.text);
  if (hit.second) {
    const second = document.createElement("span");
    second.className = "second";
    second.textContent = hit.second;
    what.append(second);
  }
  option.append(what);
  return option;
}

function begin(part) {
  for (const box of part.querySelectorAll("[data-combobox]")) new Combobox(box);
}

begin(document);
document.addEventListener("dialog:added", (event) => begin(event.detail));
if (document.body.classList.contains("bare")) sessionStorage.clear(); // somebody else may sign in
