// Tree tables: rows open and close, and are walked with the keys of the ARIA treegrid pattern.
// Rows come first; the right arrow goes into the cells. Without this script every branch is a link.

const INNER = "a, button, input, summary";
const PAGE = 10;

// One menu for all rows: what can be done with an account, at the button of its row.
class RowMenu {
  constructor(table) {
    this.box = document.getElementById(table.dataset.menu ?? "");
    if (!this.box) return;
    table.addEventListener("click", (event) => {
      const button = event.target.closest("button.row-actions");
      if (button) this.open(button.closest("tr"));
    });
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("toggle", (event) => {
      if (event.newState === "closed") this.row?.focus();
    });
  }

  offer(row) {
    if (!this.box || !row.dataset.key || row.querySelector("button.row-actions")) return;
    const button = Object.assign(document.createElement("button"), {
      className: "row-actions",
      type: "button",
      textContent: "⋯",
      ariaLabel: this.box.dataset.label.replace("{name}", row.querySelector("a.name").textContent),
      ariaHasPopup: "true",
    });
    row.querySelector(".branch").append(button);
  }

  open(row) {
    const button = row.querySelector("button.row-actions");
    if (!button) return false;
    this.row = row;
    for (const link of this.box.querySelectorAll("a")) {
      link.href = link.dataset.href.replace("acc_any", row.dataset.key);
    }
    this.box.showPopover();
    const at = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.box;
    const below = at.bottom + height < innerHeight;
    const left = Math.min(at.right, innerWidth - 8) - width;
    this.box.style.left = `${Math.max(8, left)}px`;
    this.box.style.top = `${below ? at.bottom : Math.max(8, at.top - height)}px`;
    this.box.querySelector("a").focus();
    return true;
  }

  key(event) {
    const links = [...this.box.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    links.at(next % links.length).focus();
  }
}

class TreeGrid {
  constructor(table) {
    this.table = table;
    this.menu = new RowMenu(table);
    this.take(this.rows);
    this.apply();
    const first = this.visible[0];
    if (first) first.tabIndex = 0;
    table.addEventListener("keydown", (event) => this.key(event));
    table.addEventListener("click", (event) => this.click(event));
    table.addEventListener("contextmenu", (event) => this.context(event));
    table.addEventListener("focusin", (event) => this.remember(event));
    table.addEventListener("htmx:afterSwap", (event) => this.grew(event));
    table.addEventListener("change", () => this.picked());
    document.addEventListener("reset", () => setTimeout(() => this.picked()));
  }

  get rows() {
    return [...this.table.tBodies[0].rows];
  }

  get visible() {
    return this.rows.filter((row) => !row.hidden);
  }

  // Exactly one row can be reached with the tab key; what is inside only from its row.
  take(rows) {
    for (const row of rows) {
      this.menu.offer(row);
      row.tabIndex = -1;
      for (const cell of row.cells) cell.tabIndex = -1;
      for (const inner of row.querySelectorAll(INNER)) inner.tabIndex = -1;
    }
  }

  level(row) {
    return Number(row.getAttribute("aria-level"));
  }

  isOpen(row) {
    return row.getAttribute("aria-expanded") === "true";
  }

  // A row is shown where all rows above it are open.
  apply() {
    const open = [];
    for (const row of this.rows) {
      const level = this.level(row);
      row.hidden = open.slice(0, level).includes(false);
      open.length = level;
      open[level] = !row.hasAttribute("aria-expanded") || this.isOpen(row);
    }
  }

  toggle(row, wanted = !this.isOpen(row)) {
    if (!row.hasAttribute("aria-expanded") || wanted === this.isOpen(row)) return;
    if (wanted && !("loaded" in row.dataset)) {
      if (row.getAttribute("aria-busy") === "true") return;
      row.setAttribute("aria-busy", "true");
      row.querySelector(".twist").dispatchEvent(new CustomEvent("open"));
      return;
    }
    row.setAttribute("aria-expanded", String(wanted));
    this.apply();
  }

  // Children that were asked for have come, or more of those that were there already.
  grew() {
    for (const row of this.table.querySelectorAll("tr[aria-busy]")) {
      row.removeAttribute("aria-busy");
      row.dataset.loaded = "";
      row.setAttribute("aria-expanded", "true");
    }
    this.take(this.rows.filter((row) => !row.hasAttribute("tabindex")));
    this.apply();
    const last = this.table.querySelector('tr[tabindex="0"]');
    if (!last && this.visible.length) this.visible[0].tabIndex = 0;
  }

  // The menu key, and Shift+F10, open the menu of a row; the mouse keeps the browser's own.
  context(event) {
    const row = event.target.closest("tbody > tr");
    if (event.button === 2 || !row) return;
    if (this.menu.open(row)) event.preventDefault();
  }

  // Space selects a row, or its box does; the bar for what is selected counts the boxes.
  pick(row, wanted) {
    row.setAttribute("aria-selected", String(wanted));
    const box = row.querySelector("[data-pick]");
    if (!box || box.checked === wanted) return;
    box.checked = wanted;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }

  picked() {
    for (const box of this.table.querySelectorAll("[data-pick]")) {
      box.closest("tr").setAttribute("aria-selected", String(box.checked));
    }
  }

  click(event) {
    const twist = event.target.closest("a.twist");
    if (!twist || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.toggle(twist.closest("tr"));
  }

  remember(event) {
    const row = event.target.closest("tbody > tr");
    if (!row) return;
    for (const other of this.table.querySelectorAll('tr[tabindex="0"]')) other.tabIndex = -1;
    row.tabIndex = 0;
  }

  key(event) {
    const row = event.target.closest("tbody > tr");
    if (!row || event.altKey || event.metaKey) return;
    const cell = event.target.closest("td, th");
    const moved = cell ? this.inCell(event, row, cell) : this.onRow(event, row);
    if (moved === undefined) return;
    event.preventDefault();
    if (moved) moved.focus();
  }

  // Where a key leads on a row: an element, null for nowhere, undefined for "not ours".
  onRow(event, row) {
    const rows = this.visible;
    const at = rows.indexOf(row);
    switch (event.key) {
      case "ArrowRight":
        if (row.getAttribute("aria-expanded") !== "false") return row.cells[0];
        this.toggle(row, true);
        return null;
      case "ArrowLeft":
        if (this.isOpen(row)) {
          this.toggle(row, false);
          return null;
        }
        return rows.slice(0, at).findLast((one) => this.level(one) < this.level(row)) ?? null;
      case "Home":
        return rows[0];
      case "End":
        return rows.at(-1);
      case "Enter":
        row.querySelector("a.name, a.button")?.click();
        return null;
      case " ":
        this.pick(row, row.getAttribute("aria-selected") !== "true");
        return null;
      case "*":
        for (const one of rows) if (this.level(one) === this.level(row)) this.toggle(one, true);
        return null;
      default:
        return this.step(event, rows, at) ?? this.typed(event, rows, at);
    }
  }

  inCell(event, row, cell) {
    const column = cell.cellIndex;
    switch (event.key) {
      case "ArrowRight":
        return row.cells[column + 1] ?? null;
      case "ArrowLeft":
        return column ? row.cells[column - 1] : row;
      case "Home":
        return event.ctrlKey ? this.visible[0].cells[column] : row.cells[0];
      case "End":
        return event.ctrlKey ? this.visible.at(-1).cells[column] : row.cells[row.cells.length - 1];
      case "Enter": {
        if (event.target !== cell) return undefined;
        cell.querySelector("a.name, a, button, summary")?.click();
        return null;
      }
      default: {
        const rows = this.visible;
        const next = this.step(event, rows, rows.indexOf(row));
        return next ? next.cells[Math.min(column, next.cells.length - 1)] : undefined;
      }
    }
  }

  step(event, rows, at) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE };
    if (!(event.key in steps)) return undefined;
    return rows[Math.min(Math.max(at + steps[event.key], 0), rows.length - 1)];
  }

  // A letter goes to the next row that begins with it.
  typed(event, rows, at) {
    if (event.key.length !== 1 || event.ctrlKey || !/[\p{L}\p{N}]/u.test(event.key)) {
      return undefined;
    }
    const letter = event.key.toLocaleLowerCase();
    const name = (row) => row.querySelector("a.name")?.textContent.trim().toLocaleLowerCase() ?? "";
    const rest = [...rows.slice(at + 1), ...rows.slice(0, at)];
    return rest.find((row) => name(row).startsWith(letter)) ?? null;
  }
}

for (const table of document.querySelectorAll("[data-treegrid]")) new TreeGrid(table);
