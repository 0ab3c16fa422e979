
// Makes the headings of sortable tables buttons. Without it the tables are as they are, the slowest first.
"use strict";
for (const table of document.querySelectorAll("table.slowest")) {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];

    const keyOf = (row, index, isNumber) => {
        const cell = row.cells[index];
        return isNumber ? Number(cell.dataset.v) : cell.textContent;
    };

    const sortBy = (head) => {
        const index = heads.indexOf(head);
        const isNumber = head.dataset.sort === "number";
        const was = head.getAttribute("aria-sort");
        const isDescending = was ? was === "ascending" : isNumber; // numbers: the largest first
        const rows = [...body.rows].sort((a, b) => {
            const x = keyOf(a, index, isNumber);
            const y = keyOf(b, index, isNumber);
            const order = isNumber ? x - y : x.localeCompare(y);
            return isDescending ? -order : order;
        });

        for (const other of heads) {
            other.removeAttribute("aria-sort");
        }
        head.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
        body.append(...rows);
    };

    for (const head of heads) {
        if (head.dataset.sort) {
            const button = document.createElement("button");

            button.type = "button";
            button.append(...head.childNodes);
            head.append(button);
            button.addEventListener("click", () => sortBy(head));
        }
    }
}
