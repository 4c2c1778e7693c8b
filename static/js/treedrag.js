// Tree tables: rows are dragged onto another row to move them below it, all that are selected
// together. It asks nothing and changes nothing: the same dialog opens as from the menu of a row.

function keysOf(table, row) {
  const chosen = [...table.querySelectorAll("tr:has([data-pick]:checked)")];
  return (chosen.includes(row) ? chosen : [row]).map((one) => one.dataset.key);
}

// One more than are moved at once, so that the refusal says so; an address holds no more.
const MOST = 21;

class Dragging {
  constructor(table) {
    this.table = table;
    this.keys = [];
    table.addEventListener("pointerdown", (event) => {
      // Only with a mouse: a finger scrolls.
      const row = event.target.closest("tbody > tr[data-key]");
      if (row) row.draggable = event.pointerType === "mouse" && !event.target.closest("input");
    });
    table.addEventListener("dragstart", (event) => this.start(event));
    table.addEventListener("dragover", (event) => this.over(event));
    table.addEventListener("drop", (event) => this.drop(event));
    table.addEventListener("dragend", () => this.end());
  }

  target(event) {
    const row = event.target.closest("tbody > tr[data-key]");
    return row && this.keys.length && !this.keys.includes(row.dataset.key) ? row : null;
  }

  start(event) {
    const row = event.target.closest("tbody > tr[data-key]");
    if (!row?.draggable) return;
    this.keys = keysOf(this.table, row);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", row.querySelector("a.name").textContent);
  }

  over(event) {
    const row = this.target(event);
    this.mark(row);
    if (row) event.preventDefault();
  }

  mark(row) {
    for (const one of this.table.querySelectorAll("tr.drop-here")) one.classList.remove("drop-here");
    row?.classList.add("drop-here");
  }

  drop(event) {
    const row = this.target(event);
    if (!row) return;
    event.preventDefault();
    const url = new URL(this.table.dataset.move, location.href);
    for (const key of this.keys.slice(0, MOST)) url.searchParams.append("account", key);
    url.searchParams.set("target", row.dataset.key);
    this.end();
    document.dispatchEvent(new CustomEvent("dialog:ask", { detail: url }));
  }

  end() {
    this.keys = [];
    this.mark(null);
  }
}

for (const table of document.querySelectorAll("[data-treegrid][data-move]")) new Dragging(table);
