"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const key = (row, index) => {
    const cell = row.cells[index];
    return cell.dataset.key !== undefined ? Number(cell.dataset.key) : cell.textContent;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", {numeric: true});
  table.tHead.rows[0].querySelectorAll("th").forEach((head, index) => {
    const sort = () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows];
      // rows without a value stay last, whatever the direction
      const empty = rows.filter((row) => row.cells[index].textContent === "");
      const full = rows.filter((row) => row.cells[index].textContent !== "");
      full.sort((a, b) => (down ? -1 : 1) * compare(key(a, index), key(b, index)));
      body.append(...full, ...empty);
    };
    head.tabIndex = 0;
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); } });
  });
  if (body.rows.length > 12) {
    const box = document.createElement("input");
    box.className = "filter";
    box.type = "search";
    box.placeholder = "Filter these rows";
    box.setAttribute("aria-label", "Filter these rows");
    box.addEventListener("input", () => {
      const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of body.rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    });
    table.parentNode.before(box);
  }
}
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const draw = (part) => {
  const narrow = document.documentElement.clientWidth < 640;
  const ink = colour("--ink"), soft = colour("--soft"), line = colour("--line");
  const specification = JSON.parse(part.querySelector(".specification").textContent);
  const config = {
    background: null, view: {stroke: null}, title: {color: soft, anchor: "start"},
    axis: {labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, labelFontSize: narrow ? 10 : 12, titleFontSize: 12},
    axisX: {tickCount: narrow ? 4 : 10, labelOverlap: true}, axisY: {labelLimit: narrow ? 130 : 260, labelOverlap: false},
    legend: {labelColor: ink, titleColor: ink, labelFontSize: 12, labelLimit: 260, columns: narrow ? 1 : 3},
  };
  return vegaEmbed(part.querySelector(".stage"), {...specification, config}, {actions: false, renderer: "svg", mode: "vega-lite"})
    .catch((error) => { console.error(error); part.querySelector(".stage").textContent = "This browser cannot draw the chart: " + error.message; });
};
for (const part of document.querySelectorAll("details.explore")) part.addEventListener("toggle", () => { if (part.open) draw(part); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const part of document.querySelectorAll("details.explore[open]")) draw(part); });
// paper is narrow, and nobody reads numbers by the page: wide and long tables stay in their files
const fits = (part) => part.querySelectorAll("th").length <= 9 && part.querySelectorAll("tbody tr").length <= 60;
// a chart up to twice as high as wide goes on one page
for (const chart of document.querySelectorAll(".chart")) {
  const box = chart.querySelector("svg").viewBox.baseVal;
  chart.classList.toggle("whole", box.height < 2 * box.width);
}
addEventListener("beforeprint", () => { for (const part of document.querySelectorAll("details:not(.explore)")) part.open = fits(part); });
