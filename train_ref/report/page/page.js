"use strict";

// Tables sort by a click on a column's head, and the other way round by a second one.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.v === undefined ? cell.textContent.trim() : Number(cell.dataset.v);
  };
  const compare = (one, other) =>
    typeof one === "number" ? one - other : one.localeCompare(other);
  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const numbers = body.rows.length > 0 && typeof value(body.rows[0], column) === "number";
      const before = head.getAttribute("aria-sort");
      const first = numbers ? "descending" : "ascending";
      const second = numbers ? "ascending" : "descending";
      const order = before === first ? second : first;
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].sort(
        (one, other) => sign * compare(value(one, column), value(other, column)));
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      body.append(...rows);
    });
  });
}

// A matrix tells of the cell under the mouse, or of the one that the arrow keys have gone to.
for (const matrix of document.querySelectorAll(".matrix")) {
  const table = matrix.querySelector("table");
  const readout = document.getElementById(matrix.getAttribute("aria-describedby"));
  const answers = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
  const rows = [...table.tBodies[0].rows];
  let at = null;

  const strong = (text) => {
    const element = document.createElement("b");
    element.textContent = text;
    return element;
  };
  const tell = (cell) => {
    if (at) at.classList.remove("at");
    at = cell;
    at.classList.add("at");
    const row = at.parentElement;
    const images = Number(row.dataset.images);
    const count = Number(at.dataset.n || at.textContent || 0);
    const share = images ? ` (${(100 * count / images).toFixed(0)} %)` : "";
    readout.replaceChildren(
      `${count} of ${images} images of `, strong(row.cells[0].textContent.trim()),
      " were answered ", strong(answers[at.cellIndex]), share);
  };
  matrix.addEventListener("mouseover", (event) => {
    const cell = event.target.closest("tbody td");
    if (cell) tell(cell);
  });
  matrix.addEventListener("keydown", (event) => {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const within = (place, most) => Math.max(0, Math.min(most, place));
    const row = at ? rows.indexOf(at.parentElement) + move[0] : 0;
    const column = at ? at.cellIndex + move[1] : 1;
    const cell = rows[within(row, rows.length - 1)].cells[within(column - 1, rows.length - 1) + 1];
    tell(cell);
    const place = cell.getBoundingClientRect();
    const frame = matrix.getBoundingClientRect();
    const left = table.tHead.rows[0].cells[0].getBoundingClientRect();
    matrix.scrollBy(
      Math.min(0, place.left - left.right) + Math.max(0, place.right - frame.right + 12),
      Math.min(0, place.top - left.bottom) + Math.max(0, place.bottom - frame.bottom + 12));
  });
}
