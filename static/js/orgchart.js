// Org charts: walked by arrow keys, folded in place, zoomed, with a map, printed and saved as PNG.
// Without this script every card and every fold is a link, and the picture scrolls.

const STEP = 1.25;
const SMALLEST = 0.2;
const LARGEST = 3;
const SHARPNESS = 2;

class OrgChart {
  constructor(box) {
    this.box = box;
    this.canvas = box.querySelector(".org-canvas");
    this.picture = box.querySelector("[data-org]");
    this.map = box.querySelector(".org-map");
    const { width, height } = this.picture.viewBox.baseVal;
    this.size = { width, height };
    this.take();
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("focusin", (event) => this.remember(event));
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.canvas.addEventListener("scroll", () => this.look(), { passive: true });
    box.querySelector(".zoom").hidden = false;
    box.querySelector(".zoom").addEventListener("click", ({ target }) => {
      const how = target.closest("[data-zoom]")?.dataset.zoom;
      if (how) this.zoom(how);
    });
    this.map.addEventListener("click", (event) => this.jump(event));
    this.scaled(OrgChart.scale ?? 1);
    new ResizeObserver(() => this.look()).observe(this.canvas);
  }

  get cards() {
    return [...this.picture.querySelectorAll("[role=treeitem]")];
  }

  // One card can be reached with the tab key, and what is inside only from its card.
  take() {
    for (const card of this.cards) {
      card.setAttribute("tabindex", "-1");
      for (const link of card.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
    }
    this.cards[0].setAttribute("tabindex", "0");
  }

  remember({ target }) {
    const card = target.closest("[role=treeitem]");
    if (!card) return;
    for (const other of this.cards) other.setAttribute("tabindex", "-1");
    card.setAttribute("tabindex", "0");
  }

  place(card) {
    const { e, f } = card.transform.baseVal.getItem(0).matrix;
    return { x: e, y: f };
  }

  level(card) {
    return Number(card.getAttribute("aria-level"));
  }

  // Up and down stay in a column; left leads to what is above, right to what is below.
  next(card, key) {
    const cards = this.cards;
    const at = cards.indexOf(card);
    const column = cards.filter((one) => this.level(one) === this.level(card));
    const place = column.indexOf(card);
    switch (key) {
      case "ArrowDown":
        return column[place + 1] ?? null;
      case "ArrowUp":
        return column[place - 1] ?? null;
      case "ArrowLeft":
        return cards.slice(0, at).findLast((one) => this.level(one) < this.level(card)) ?? null;
      case "ArrowRight": {
        if (card.getAttribute("aria-expanded") === "false") {
          this.fold(card);
          return null;
        }
        const below = cards[at + 1];
        return below && this.level(below) > this.level(card) ? below : null;
      }
      case "Home":
        return cards[0];
      case "End":
        return cards.at(-1);
      default:
        return undefined;
    }
  }

  key(event) {
    const card = event.target.closest("[role=treeitem]");
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "+" || event.key === "-") {
      event.preventDefault();
      this.zoom(event.key === "+" ? "in" : "out");
      return;
    }
    if (!card || event.target !== card) return;
    if (event.key === "Enter") {
      event.preventDefault();
      location.assign(card.querySelector("a.open").href.baseVal);
      return;
    }
    if (event.key === " ") {
      event.preventDefault();
      this.fold(card);
      return;
    }
    const next = this.next(card, event.key);
    if (next === undefined) return;
    event.preventDefault();
    next?.focus();
  }

  click(event) {
    const link = event.target.closest("a[data-fold]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    this.fold(link.closest("[role=treeitem]"));
  }

  // The server draws the chart anew; the focus stays on the card, which stays where it was.
  async fold(card) {
    const link = card.querySelector("a[data-fold]");
    if (!link) return null;
    const url = new URL(link.href.baseVal, location.href);
    if (url.pathname !== location.pathname) {
      location.assign(url);
      return null;
    }
    const { key } = card.dataset;
    const before = card.getBoundingClientRect();
    await htmx.ajax("GET", url.pathname + url.search, { target: "#org-chart", swap: "outerHTML" });
    const box = document.getElementById("org-chart");
    const chart = OrgChart.of(box);
    const now = chart.cards.find((one) => one.dataset.key === key);
    if (!now) return null;
    const after = now.getBoundingClientRect();
    chart.canvas.scrollBy(after.left - before.left, after.top - before.top);
    now.focus({ preventScroll: true });
    return null;
  }

  zoom(how) {
    const { clientWidth, clientHeight } = this.canvas;
    const fit = Math.min(clientWidth / this.size.width, clientHeight / this.size.height, 1);
    const wanted = { in: this.scale * STEP, out: this.scale / STEP, full: 1, fit }[how];
    this.scaled(Math.min(Math.max(wanted, SMALLEST), LARGEST));
  }

  scaled(scale) {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.canvas;
    const ratio = scale / (this.scale ?? scale);
    this.scale = scale;
    OrgChart.scale = scale;
    this.picture.setAttribute("width", this.size.width * scale);
    this.picture.setAttribute("height", this.size.height * scale);
    this.canvas.scrollTo(
      (scrollLeft + clientWidth / 2) * ratio - clientWidth / 2,
      (scrollTop + clientHeight / 2) * ratio - clientHeight / 2,
    );
    this.look();
  }

  // The map says which part is in sight, where not all of it is.
  look() {
    const { scrollLeft, scrollTop, clientWidth, clientHeight, scrollWidth, scrollHeight } =
      this.canvas;
    const isWhole = scrollWidth <= clientWidth + 1 && scrollHeight <= clientHeight + 1;
    this.map.parentElement.hidden = isWhole;
    const sight = this.map.querySelector(".sight");
    const box = {
      x: scrollLeft / this.scale,
      y: scrollTop / this.scale,
      width: Math.min(clientWidth / this.scale, this.size.width),
      height: Math.min(clientHeight / this.scale, this.size.height),
    };
    for (const [name, value] of Object.entries(box)) sight.setAttribute(name, value);
  }

  jump(event) {
    const at = this.map.getBoundingClientRect();
    const share = this.size.width / at.width;
    this.canvas.scrollTo(
      (event.clientX - at.left) * share * this.scale - this.canvas.clientWidth / 2,
      (event.clientY - at.top) * share * this.scale - this.canvas.clientHeight / 2,
    );
  }

  static known = new WeakMap();

  static of(box) {
    if (!OrgChart.known.has(box)) OrgChart.known.set(box, new OrgChart(box));
    return OrgChart.known.get(box);
  }
}

// The lines are switched on the picture at once; the address takes them along.
function switchLines(form) {
  const on = new FormData(form).getAll("lines");
  const picture = document.querySelector("[data-org]");
  for (const { value } of form.querySelectorAll("input[type=checkbox][name=lines]")) {
    picture.classList.toggle(`no-${value}`, !on.includes(value));
  }
  const url = new URL(location.href);
  url.searchParams.delete("lines");
  for (const line of on) url.searchParams.append("lines", line);
  history.replaceState(history.state, "", url);
  for (const link of document.querySelectorAll("#org-chart a[data-fold], [data-chart-svg]")) {
    const there = new URL(link.href.baseVal ?? link.href, location.href);
    there.searchParams.delete("lines");
    for (const line of on) there.searchParams.append("lines", line);
    link.setAttribute("href", there.pathname + there.search);
  }
}

async function savePng() {
  const link = document.querySelector("[data-chart-svg]");
  const answer = await fetch(link.href);
  if (!answer.ok) {
    location.assign(link.href);
    return;
  }
  const name = answer.headers.get("Content-Disposition").match(/filename="([^"]+)\.svg"/)[1];
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(await answer.text())}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.naturalWidth * SHARPNESS;
  canvas.height = picture.naturalHeight * SHARPNESS;
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const saved = document.createElement("a");
  saved.href = canvas.toDataURL("image/png");
  saved.download = `${name}.png`;
  saved.click();
}

const chart = document.getElementById("org-chart");
if (chart) {
  OrgChart.of(chart);
  const form = document.querySelector("[data-chart-switches]");
  form.addEventListener("change", ({ target }) => target.name === "lines" && switchLines(form));
  const png = document.querySelector("[data-chart-png]");
  const print = document.querySelector("[data-chart-print]");
  for (const button of [png, print]) button.hidden = false;
  png.addEventListener("click", savePng);
  print.addEventListener("click", () => window.print());
  document.addEventListener("htmx:afterSwap", () => {
    const box = document.getElementById("org-chart");
    OrgChart.of(box);
    document.querySelector("[data-chart-svg]").setAttribute("href", box.dataset.svg);
  });
}
