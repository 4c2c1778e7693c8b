// Lists: rows are selected one by one, as a stretch with shift, or all of a page; the bar at the
// bottom counts them and adds them up. Without this script the bar is a plain form.

const locale = document.documentElement.lang === "de" ? "de-DE" : "en-GB";

function money(minor, currency, digits) {
  const look = { style: "currency", currency };
  look.minimumFractionDigits = look.maximumFractionDigits = digits;
  return new Intl.NumberFormat(locale, look).format(minor / 10 ** digits).replace("-", "\u2212");
}

class Selection {
  constructor(bar) {
    this.bar = bar;
    this.all = document.querySelector("[data-pick-all]");
    this.everything = bar.querySelector("[data-everything]");
    this.count = bar.querySelector("[data-count]");
    this.sum = bar.querySelector("[data-sum]");
    if (this.all) {
      this.all.hidden = false;
      this.all.addEventListener("change", () => this.turn(this.boxes, this.all.checked));
    }
    document.addEventListener("click", (event) => this.click(event));
    document.addEventListener("change", (event) => {
      if (event.target.matches("[data-pick], [data-everything]")) this.tell();
    });
    bar.addEventListener("reset", () => setTimeout(() => this.tell()));
    this.tell();
  }

  get boxes() {
    return [...document.querySelectorAll("[data-pick]")];
  }

  turn(boxes, isOn) {
    for (const box of boxes) box.checked = isOn;
    this.tell();
  }

  // With shift, everything between the last box and this one becomes as this one is.
  click(event) {
    const box = event.target.closest("[data-pick]");
    if (!box) return;
    const boxes = this.boxes;
    const [from, to] = [boxes.indexOf(this.last), boxes.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) this.turn(boxes.slice(from, to + 1), box.checked);
    this.last = box;
  }

  tell() {
    const chosen = this.boxes.filter((box) => box.checked);
    const isAll = this.everything?.checked;
    const number = isAll ? Number(this.everything.dataset.everything) : chosen.length;
    const sums = new Map();
    for (const { dataset } of isAll ? [] : chosen) {
      if (!dataset.currency) continue;
      const key = `${dataset.currency} ${dataset.digits}`;
      sums.set(key, (sums.get(key) ?? 0) + Number(dataset.minor));
    }
    this.count.textContent = this.bar.dataset.text.replace("%n", number.toLocaleString(locale));
    this.sum.textContent = [...sums]
      .sort()
      .map(([key, minor]) => money(minor, key.slice(0, 3), Number(key.slice(4))))
      .join(" \u00b7 ");
    if (!this.all) return;
    this.all.checked = chosen.length > 0 && chosen.length === this.boxes.length;
    this.all.indeterminate = chosen.length > 0 && !this.all.checked;
  }
}

const known = new WeakSet();

function begin() {
  for (const bar of document.querySelectorAll("[data-bulk]:not(.is-specimen)")) {
    if (!known.has(bar)) new Selection(bar);
    known.add(bar);
  }
}

begin();
document.addEventListener("htmx:load", begin);

// Forms that ask leave out what is empty, so that addresses stay short.
document.addEventListener("formdata", (event) => {
  if (event.target.method !== "get") return;
  for (const [name, value] of [...event.formData]) {
    if (value === "") event.formData.delete(name);
  }
});
