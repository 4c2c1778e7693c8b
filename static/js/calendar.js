// The calendar's days are links; arrows walk them, Home and End go to the ends of the week, Page Up
// and Page Down to the period before and behind. Without it, Tab walks them.

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

document.addEventListener("keydown", (event) => {
  const link = event.target.closest?.("[data-calendar] td a");
  if (!link || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  const cell = link.closest("td");
  const row = cell.parentElement;
  const days = [...link.closest("[data-calendar]").querySelectorAll("td a")];
  let next;
  if (event.key in STEPS) next = days[days.indexOf(link) + STEPS[event.key]];
  else if (event.key === "ArrowUp") next = row.previousElementSibling?.children[cell.cellIndex]?.querySelector("a");
  else if (event.key === "ArrowDown") next = row.nextElementSibling?.children[cell.cellIndex]?.querySelector("a");
  else if (event.key === "Home") next = row.querySelector("td a");
  else if (event.key === "End") next = [...row.querySelectorAll("td a")].at(-1);
  else if (event.key === "PageUp") next = document.querySelector(".calendar-bar a[rel=prev]");
  else if (event.key === "PageDown") next = document.querySelector(".calendar-bar a[rel=next]");
  else return;
  event.preventDefault();
  if (!next) return;
  if (event.key.startsWith("Page")) next.click();
  else next.focus();
});
